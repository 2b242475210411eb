import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../src/graph_details";
import type { Box, Name, Scene, Tiles, Wire } from "../src/graph_protocol";
import { find, next, shownAs } from "../src/graph_walk";
import { arrange, colour, pixels } from "../src/raster";
import { centred, fit, kept, READABLE, showing, zoom } from "../src/viewport";

const screen = { width: 800, height: 400 };
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test("a small picture is shown in its size, in the middle", () => {
  assert.deepEqual(fit({ width: 200, height: 100 }, screen), { scale: 1, x: 300, y: 150 });
});

test("a large picture is shown as a whole, or readable from its top", () => {
  const whole = fit({ width: 1600, height: 4000 }, screen);
  assert.ok(1600 * whole.scale <= 800 && 4000 * whole.scale <= 400);
  const readable = fit({ width: 400, height: 4000 }, screen, READABLE);
  assert.deepEqual([readable.scale, readable.y], [READABLE, 16]);
  near(readable.x + 200 * READABLE, 400);
  assert.equal(fit({ width: 4000, height: 100 }, screen, READABLE).x, 16, "a long row starts at its left");
});

test("what is under the pointer stays there", () => {
  const view = { scale: 0.8, x: 30, y: -70 };
  const zoomed = zoom(view, 1.7, 250, 120, 0.1);
  near((250 - view.x) / view.scale, (250 - zoomed.x) / zoomed.scale);
  near((120 - view.y) / view.scale, (120 - zoomed.y) / zoomed.scale);
  assert.equal(zoom(view, 100, 0, 0, 0.1).scale, 4);
  assert.equal(zoom(view, 0.001, 0, 0, 0.1).scale, 0.1);
});

test("the picture can't be lost", () => {
  const picture = { width: 300, height: 300 };
  const lost = kept({ scale: 1, x: 5000, y: -5000 }, picture, screen);
  assert.deepEqual([lost.x, lost.y], [740, -240]);
  const inside = { scale: 1, x: 10, y: 20 };
  assert.deepEqual(kept(inside, picture, screen), inside);
});

test("an area is brought onto the screen, moving no more than needed", () => {
  const view = { scale: 1, x: 0, y: 0 };
  assert.deepEqual(showing(view, { x: 100, y: 100, width: 50, height: 50 }, screen), view);
  assert.equal(showing(view, { x: 100, y: 600, width: 50, height: 50 }, screen).y, 400 - 16 - 650);
  assert.equal(showing(view, { x: -90, y: 100, width: 50, height: 50 }, screen).x, 106);
  assert.equal(showing(view, { x: 500, y: 0, width: 900, height: 10 }, screen).x, 16 - 500, "its start, if it is too large");
  const middle = centred({ scale: 0.2, x: 0, y: 0 }, { x: 1000, y: 50, width: 100, height: 40 }, screen, 1);
  assert.deepEqual(middle, { scale: 1, x: 400 - 1050, y: 200 - 70 });
});

const box = (id: string, x: number, y: number, kind: Box["kind"] = "closed"): Box =>
  ({ id, x, y, width: 100, height: 40, lines: [id], kind, family: "dense", nested: false, spoken: id });
const wire = (source: string, target: string): Wire => ({ source, target, path: "", tip: "M", label: "", at: [0, 0], shape: "" });
const scene: Scene = {
  width: 400,
  height: 300,
  boxes: [box("a", 150, 0), box("b", 0, 100), box("c", 300, 100), box("d", 150, 200), box("out0", 150, 260, "output")],
  wires: [wire("a", "c"), wire("c", "d"), wire("a", "b"), wire("d", "out0")],
};

test("arrow keys go along the wires, to the side to neighbours, never to outputs", () => {
  assert.ok(["b", "c"].includes(next(scene, "a", "ArrowDown")!), next(scene, "a", "ArrowDown")!);
  assert.equal(next(scene, "b", "ArrowRight"), "c");
  assert.equal(next(scene, "c", "ArrowDown"), "d");
  assert.equal(next(scene, "d", "ArrowUp"), "c", "along the wire, though b is as near");
  assert.equal(next(scene, "d", "ArrowDown"), null);
  assert.equal(next(scene, "nowhere", "ArrowUp"), null);
});

const names: Name[] = [["0", "image", "InputLayer"], ["1", "Encoder", "Functional"], ["1/0", "conv_1", "Conv2D"], ["1/1", "norm", "LayerNormalization"], ["2", "input_norm", "Dense"]];

test("layers are found by name, then by class, in any case", () => {
  assert.deepEqual(find(names, "CONV"), ["1/0"]);
  assert.deepEqual(find(names, "input"), ["2", "0"]);
  assert.deepEqual(find(names, " norm "), ["1/1", "2"]);
  assert.deepEqual(find(names, "  "), []);
  assert.deepEqual(find(names, ".*"), []);
});

test("a layer in a closed model is shown as that model", () => {
  const shown = { ...scene, boxes: [box("1", 0, 0), box("2", 0, 0)] };
  assert.equal(shownAs(shown, "1/0/3"), "1");
  assert.equal(shownAs(shown, "2"), "2");
  assert.equal(shownAs(shown, "7/1"), null);
});

const tiles = (more: Partial<Tiles>): Tiles =>
  ({ kind: "tiles", count: 1, of: 1, height: 1, width: 3, channels: 1, low: -1, high: 1, signed: true, data: 0, ...more });

test("zero is white on a signed scale, what is no number stands out", () => {
  assert.deepEqual(colour(127, true), [247, 247, 247]);
  assert.notDeepEqual(colour(0, true), colour(254, true));
  assert.deepEqual([colour(0, false), colour(254, false)], [[0, 32, 81], [255, 234, 70]]);
  assert.deepEqual(colour(255, true), [255, 0, 255]);
});

test("pixels of a tile; three channels are red, green and blue", () => {
  const grey = pixels(tiles({}), new Uint8Array([127, 0, 255]), 0);
  assert.deepEqual([...grey.slice(0, 4)], [247, 247, 247, 255]);
  const second = pixels(tiles({ channels: 3, width: 1, count: 2 }), new Uint8Array([0, 0, 0, 10, 20, 30]), 1);
  assert.deepEqual([...second], [10, 20, 30, 255]);
});

test("few tiles are large, many small, all fit the room", () => {
  for (const count of [1, 2, 4, 6, 9, 32]) {
    for (const size of [3, 7, 32, 96]) {
      const { columns, zoom: factor } = arrange(tiles({ count, width: size, height: size }), 272);
      assert.ok(columns >= 1 && factor >= 1 && columns * (size * factor + 4) - 4 <= 272, `${count} of ${size}`);
    }
  }
  assert.ok(arrange(tiles({ count: 4, width: 8, height: 8 }), 272).zoom > arrange(tiles({ count: 32, width: 8, height: 8 }), 272).zoom);
});

test("statistics in words", () => {
  assert.equal(words({ size: 4, bad: 0, low: -1, high: 2.5, mean: 0.25, std: 1 }), "-1 to 2.5 · mean 0.25 · std 1");
  assert.equal(words({ size: 3, bad: 3 }), "3 not finite");
  assert.equal(words({ size: 0, bad: 0 }), "empty");
});
