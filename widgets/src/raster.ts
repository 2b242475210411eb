// Arrays as images: bytes to colours that colour-blind people read, and a canvas of tiles.
import { html } from "./dom";
import { short } from "./format";
import type { Tiles } from "./graph_protocol";

type Colour = [number, number, number];

const NOT_FINITE = 255;
const GAP = 4;
const RAMP: Colour[] = [[0, 32, 81], [60, 77, 110], [127, 124, 117], [187, 175, 113], [255, 234, 70]]; // cividis
const BELOW: Colour[] = [[0, 60, 130], [0, 114, 178], [140, 190, 225], [247, 247, 247]];
const ABOVE: Colour[] = [[247, 247, 247], [245, 190, 130], [213, 94, 0], [130, 45, 0]];
const BROKEN: Colour = [255, 0, 255];

function along(stops: Colour[], part: number): Colour {
  const at = Math.min(Math.max(part, 0), 1) * (stops.length - 1);
  const left = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [stops[left]!, stops[left + 1]!];
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * (at - left))) as Colour;
}

/** The colour of a byte: 0 to 254 on the scale; of a signed one, 127 is zero and white. */
export function colour(byte: number, signed: boolean): Colour {
  if (byte === NOT_FINITE) return BROKEN;
  if (!signed) return along(RAMP, byte / 254);
  return byte < 127 ? along(BELOW, byte / 127) : along(ABOVE, (byte - 127) / 127);
}

/** The pixels (red, green, blue, opacity) of one tile. */
export function pixels(tiles: Tiles, data: Uint8Array, index: number): Uint8ClampedArray {
  const size = tiles.width * tiles.height;
  const out = new Uint8ClampedArray(4 * size);
  const start = index * size * tiles.channels;
  for (let i = 0; i < size; i++) {
    const [r, g, b] = tiles.channels === 3
      ? [data[start + i]!, data[start + size + i]!, data[start + 2 * size + i]!]
      : colour(data[start + i]!, tiles.signed);
    out.set([r, g, b, 255], 4 * i);
  }
  return out;
}

/** How many tiles go into a row, and how many screen pixels a pixel of a tile gets: the fewer, the larger. */
export function arrange(tiles: Tiles, room: number): { columns: number; zoom: number } {
  const most = tiles.count === 1 ? 180 : tiles.count <= 4 ? (room - GAP) / 2 : tiles.count <= 9 ? (room - 2 * GAP) / 3 : 50;
  const zoom = Math.max(1, Math.floor(Math.min(most / tiles.height, (tiles.count === 1 ? room : most) / tiles.width)));
  return { columns: Math.max(1, Math.min(tiles.count, Math.floor((room + GAP) / (tiles.width * zoom + GAP)))), zoom };
}

export function tilesElement(tiles: Tiles, data: Uint8Array, room: number, about: string): HTMLElement {
  const { columns, zoom } = arrange(tiles, room);
  const narrow = tiles.count === 1 && tiles.height > 3 * tiles.width; // a tall matrix gets wide pixels
  const [width, height] = [narrow ? Math.max(tiles.width * zoom, Math.min(room, 96)) : tiles.width * zoom, tiles.height * zoom];
  const canvas = html("canvas", {
    class: "km-raster",
    role: "img",
    "aria-label": about,
    width: columns * (width + GAP) - GAP,
    height: Math.ceil(tiles.count / columns) * (height + GAP) - GAP,
  });
  const tile = html("canvas", { width: tiles.width, height: tiles.height });
  const [context, small] = [canvas.getContext("2d"), tile.getContext("2d")];
  for (let i = 0; context && small && i < tiles.count; i++) {
    const image = small.createImageData(tiles.width, tiles.height);
    image.data.set(pixels(tiles, data, i));
    small.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(tile, (i % columns) * (width + GAP), Math.floor(i / columns) * (height + GAP), width, height);
  }
  const note = tiles.of > tiles.count ? `${tiles.count} of ${tiles.of.toLocaleString("en")} shown` : "";
  const scale = tiles.channels === 3 ? html("span", {}, note) : html("span", { class: "km-scale" },
    short(tiles.low), html("i", { class: tiles.signed ? "km-ramp km-signed" : "km-ramp" }), short(tiles.high), note ? ` · ${note}` : "");
  return html("figure", { class: "km-figure" }, canvas, html("figcaption", {}, scale));
}
