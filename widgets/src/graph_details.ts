// The panel beside the graph that tells everything about one layer.
import { html, svg } from "./dom";
import { short } from "./format";
import type { Bars, Details, Statistics, Values } from "./graph_protocol";
import { tilesElement } from "./raster";

const ROOM = 272;

/** The content of the panel; `buffers` hold the bytes of its images. */
export function detailsElement(told: Details, buffers: DataView[]): HTMLElement {
  const body = html("div", { class: "km-details-body" }, table(told.facts, "km-facts"));
  if (told.activations) {
    const part = section("Activations", `for sample ${told.activations.sample + 1}`);
    if (told.activations.shown.length === 0) part.append(html("p", { class: "km-quiet" }, "It isn't called for this sample by itself."));
    for (const shown of told.activations.shown) part.append(values(shown, `${shown.title} ${shown.shape}`, buffers));
    body.append(part);
  }
  if (told.weights.length > 0) {
    const part = section("Weights", "");
    for (const weight of told.weights) {
      const fixed = weight.trained ? "" : " · not trained";
      part.append(values(weight, `${weight.name} ${weight.shape} ${weight.dtype}${fixed}`, buffers));
    }
    if (told.more_weights > 0) part.append(html("p", { class: "km-quiet" }, `and ${told.more_weights.toLocaleString("en")} more: see the layers inside`));
    body.append(part);
  }
  if (told.config.length > 0) {
    const part = section("Config", "");
    part.append(table(told.config, "km-config"));
    body.append(part);
  }
  return body;
}

function section(title: string, more: string): HTMLElement {
  return html("section", {}, html("h4", {}, title, html("span", { class: "km-quiet" }, more && ` ${more}`)));
}

function table(rows: [string, string][], css: string): HTMLElement {
  const cells = rows.map(([name, value]) => html("tr", {}, html("th", { scope: "row" }, name), html("td", { dir: "auto" }, value)));
  return html("table", { class: css }, html("tbody", {}, ...cells));
}

function values(shown: Values, title: string, buffers: DataView[]): HTMLElement {
  const element = html("div", { class: "km-values-of" }, html("h5", { dir: "auto" }, title));
  const { picture, statistics } = shown;
  if (picture?.kind === "tiles") {
    const view = buffers[picture.data];
    if (view) element.append(tilesElement(picture, new Uint8Array(view.buffer, view.byteOffset, view.byteLength), ROOM, `Image of ${title}`));
  } else if (picture?.kind === "bars") {
    element.append(bars(picture, title));
  }
  if (statistics.counts && picture?.kind !== "bars") element.append(histogram(statistics, title));
  element.append(html("p", { class: "km-quiet" }, words(statistics)));
  return element;
}

export function words(statistics: Statistics): string {
  const bad = statistics.bad > 0 ? `${statistics.bad.toLocaleString("en")} not finite` : "";
  const { low, high, mean, std } = statistics;
  if (low === undefined || high === undefined || mean === undefined || std === undefined) return bad || "empty";
  const all = [`${short(low)} to ${short(high)}`, `mean ${short(mean)}`, `std ${short(std)}`, bad];
  return all.filter((word) => word !== "").join(" · ");
}

const HEIGHT = 44;

function histogram({ counts = [], edges = [0, 1] }: Statistics, title: string): Element {
  const most = Math.max(...counts, 1);
  const step = ROOM / counts.length;
  const columns = counts.map((count, i) => {
    const height = count === 0 ? 0 : Math.max(1, (count / most) * HEIGHT);
    return svg("rect", { x: (i * step).toFixed(1), y: (HEIGHT - height).toFixed(1), width: (step - 1).toFixed(1), height: height.toFixed(1) });
  });
  const tick = (x: number, anchor: string, value: number) => svg("text", { x, y: HEIGHT + 11, "text-anchor": anchor }, short(value));
  return svg("svg", { class: "km-histogram", viewBox: `0 0 ${ROOM} ${HEIGHT + 14}`, width: ROOM, height: HEIGHT + 14, role: "img", "aria-label": `Histogram of ${title}` },
    ...columns, svg("path", { d: `M0 ${HEIGHT}H${ROOM}` }), tick(0, "start", edges[0]), tick(ROOM, "end", edges[1]));
}

function bars(picture: Bars, title: string): Element {
  const high = Math.max(0, ...picture.values);
  const low = Math.min(0, ...picture.values);
  const span = high - low || 1;
  const step = ROOM / picture.values.length;
  const zero = (high / span) * HEIGHT;
  const columns = picture.values.map((value, i) => {
    const height = Math.max(1, (Math.abs(value) / span) * HEIGHT);
    const bar = svg("rect", { x: (i * step).toFixed(1), y: (value < 0 ? zero : zero - height).toFixed(1), width: Math.max(1, step - 1).toFixed(1), height: height.toFixed(1) });
    bar.append(svg("title", {}, `${i}: ${short(value)}`));
    return bar;
  });
  return svg("svg", { class: "km-histogram km-bars-of", viewBox: `0 -2 ${ROOM} ${HEIGHT + 4}`, width: ROOM, height: HEIGHT + 4, role: "img", "aria-label": `Values of ${title}` },
    ...columns, svg("path", { d: `M0 ${zero.toFixed(1)}H${ROOM}` }));
}
