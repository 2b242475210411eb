import assert from "node:assert/strict";
import { test } from "node:test";
import type { Progress } from "../src/protocol";
import { RunStore, Series } from "../src/store";

const progress: Progress = {
  status: "running", note: "", epoch: 1, epochs: 3, step: 1, steps: 10, validating: false,
  elapsed: 1, remaining: null, rate: null, unit: "steps", latest: {},
  stop_after_epoch: false, learning_rate: 0.001, rate_is_settable: true, best: null, can_restore: false,
  too_large: "", can_save: true, message: "", failed: false,
};

test("a series stays within its capacity, in order, with its first and newest point", () => {
  const series = new Series(20);
  for (let i = 0; i < 12345; i++) {
    series.push(i, -i);
    assert.ok(series.x.length <= 20);
    assert.equal(series.x[series.x.length - 1], i);
  }
  assert.equal(series.x[0], 0);
  assert.ok(series.x.length >= 9);
  assert.ok(series.x.every((x, i) => i === 0 || x > series.x[i - 1]!));
  assert.ok(series.x.every((x, i) => series.y[i] === -x));
});

test("a snapshot replaces what came before it", () => {
  const store = new RunStore();
  store.receive({ type: "append", curves: { loss: { train: [[2], [0.4]] } }, progress }, 0);
  assert.deepEqual(store.curves.get("loss")?.train?.x, [2]);
  store.receive({ type: "snapshot", curves: { loss: { train: [[1, 2], [0.5, 0.4]] } }, progress }, 0);
  store.receive({ type: "append", curves: { loss: { train: [[3], [0.3]] } }, progress }, 5);
  assert.deepEqual(store.curves.get("loss")?.train?.x, [1, 2, 3]);
  assert.equal(store.arrived, 5);
});

test("a second snapshot replaces the first", () => {
  const store = new RunStore();
  const curves = { loss: { within: [[1, 2], [0.5, "NaN"]] as [number[], (number | string)[]] } };
  store.receive({ type: "snapshot", curves, progress }, 0);
  store.receive({ type: "snapshot", curves, progress }, 0);
  assert.deepEqual(store.curves.get("loss")?.within?.x, [1, 2]);
  assert.ok(Number.isNaN(store.curves.get("loss")?.within?.y[1]));
});

test("listeners are told, and can leave", () => {
  const store = new RunStore();
  let calls = 0;
  const quit = store.listen(() => (calls += 1));
  store.receive({ type: "heard", control: "stop" }, 0);
  quit();
  store.receive({ type: "heard", control: "stop" }, 0);
  assert.equal(calls, 1);
  assert.ok(store.heard.has("stop"));
});

test("earlier runs come with a snapshot and stay until the next", () => {
  const store = new RunStore();
  const run = { loss: { train: [[1, 2], [0.5, 0.4]] as [number[], number[]] } };
  store.receive({ type: "snapshot", curves: {}, progress, earlier: [run, run] }, 0);
  store.receive({ type: "append", curves: {}, progress }, 0);
  assert.equal(store.earlier.get("loss")?.length, 2);
  assert.deepEqual(store.earlier.get("loss")?.[0]?.train?.y, [0.5, 0.4]);
  store.receive({ type: "snapshot", curves: {}, progress }, 0);
  assert.equal(store.earlier.size, 0);
});

test("whether a training has ended, and whether its kernel is gone", () => {
  const store = new RunStore();
  assert.ok(!store.isOpen());
  for (const status of ["running", "paused", "stopping"] as const) {
    store.receive({ type: "append", curves: {}, progress: { ...progress, status } }, 0);
    assert.ok(store.isOpen());
  }
  store.lose();
  assert.ok(store.lost);
  store.receive({ type: "append", curves: {}, progress: { ...progress, status: "done" } }, 0);
  assert.ok(!store.isOpen());
});

test("an answer ends the complaint that there is none", () => {
  const store = new RunStore();
  store.complain("No answer yet.");
  store.receive({ type: "heard", control: "save" }, 0);
  assert.equal(store.complaint, "");
});

test("10,000 epochs of 10 metrics stay bounded", () => {
  const store = new RunStore();
  for (let epoch = 1; epoch <= 10_000; epoch++) {
    const curves = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`m${i}`, { train: [[epoch], [1 / epoch]] as [number[], number[]] }]),
    );
    store.receive({ type: "append", curves, progress }, 0);
  }
  for (const { train } of store.curves.values()) assert.ok(train!.x.length <= 400 && train!.x.at(-1) === 10_000);
});
