import assert from "node:assert/strict";
import { test } from "node:test";
import { barsPath, heights } from "../src/sparkline";
import { columnsOf, leastWidth } from "../src/summary_columns";
import type { Row } from "../src/summary_protocol";
import { inSight, Tree } from "../src/summary_tree";

const row = (id: string, nested = false): Row =>
  [id, id.split("/").length - 1, nested, `layer ${id}`, "Dense", "(None, 2)", "6", "24 B", "8 B", "14", "", true];
const rows = [row("0"), row("1", true), row("1/0"), row("1/1", true), row("1/1/0"), row("1/1/1"), row("2")];
const ids = (tree: Tree) => tree.visible().map((one) => one[0]);

test("models are closed at first, or open when asked to", () => {
  assert.deepEqual(ids(new Tree(rows, false)), ["0", "1", "2"]);
  assert.deepEqual(ids(new Tree(rows, true)), rows.map((one) => one[0]));
});

test("what is open within a closed model comes back with it", () => {
  const tree = new Tree(rows, true);
  tree.toggle("1");
  assert.deepEqual(ids(tree), ["0", "1", "2"]);
  tree.toggle("1");
  assert.deepEqual(ids(tree).length, 7);
  assert.equal(tree.toggle("0"), false, "a layer has nothing to open");
});

test("a row is revealed by opening what is above it", () => {
  const tree = new Tree(rows, false);
  tree.reveal("1/1/1");
  assert.deepEqual(ids(tree), ["0", "1", "1/0", "1/1", "1/1/0", "1/1/1", "2"]);
});

test("rows of a range stand alone where the model above them isn't listed", () => {
  assert.deepEqual(ids(new Tree(rows.slice(2), false)), ["1/0", "1/1", "2"]);
});

test("the keys of a treegrid", () => {
  const tree = new Tree(rows, false);
  assert.equal(tree.key("0", "ArrowDown", 5), "1");
  assert.equal(tree.key("0", "ArrowUp", 5), "0");
  assert.equal(tree.key("2", "ArrowDown", 5), "2");
  assert.equal(tree.key("1", "ArrowRight", 5), "1");
  assert.ok(tree.open.has("1"), "right opens");
  assert.equal(tree.key("1", "ArrowRight", 5), "1/0", "then goes inside");
  assert.equal(tree.key("1/0", "ArrowLeft", 5), "1", "left goes to the model around");
  assert.equal(tree.key("1", "ArrowLeft", 5), "1");
  assert.ok(!tree.open.has("1"), "and closes it");
  assert.equal(tree.key("0", "End", 5), "2");
  assert.equal(tree.key("2", "Home", 5), "0");
  assert.equal(tree.key("0", "PageDown", 2), "2");
  assert.equal(tree.key("0", "x", 2), "0");
});

test("only rows in sight are drawn", () => {
  assert.deepEqual(inSight(0, 300, 30, 1000, 2), [0, 12]);
  assert.deepEqual(inSight(3000, 300, 30, 1000, 2), [98, 112]);
  assert.deepEqual(inSight(0, 300, 30, 3, 2), [0, 3]);
  assert.deepEqual(inSight(9000, 300, 30, 3, 2), [298, 298]);
});

test("bars", () => {
  assert.deepEqual(heights("0z"), [0, 1]);
  assert.equal(barsPath("0z1", 4, 18), "M4 18v-18h3v18zM8 18v-1h3v1z");
});

test("columns of the tabs", () => {
  const titles = (tab: "structure" | "training" | "both", connected: boolean) => columnsOf(tab, connected).map((one) => one.title);
  assert.deepEqual(titles("structure", false), ["Layer", "Output shape", "Parameters", "Train", "Weights", "Activations", "FLOPs"]);
  assert.ok(titles("structure", true).includes("Connected to"));
  assert.deepEqual(titles("training", true), ["Layer", "Weights", "Gradients", "Gradient", "Update", "Dead", "Saturated", "Warnings"]);
  assert.equal(titles("both", true).length, 15);
  assert.ok(leastWidth(columnsOf("structure", true)) <= 826, "no scroll bar in a JupyterLab of common width");
  assert.ok(leastWidth(columnsOf("training", true)) <= 826);
});
