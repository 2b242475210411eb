import assert from "node:assert/strict";
import { test } from "node:test";
import { largest, spoken } from "../src/answers";
import { fill } from "../src/image_answer";
import { distance, Ink } from "../src/ink";
import { Pace } from "../src/pace";
import type { GroupSpec, Model, ToKernel } from "../src/playground_protocol";
import { PlaygroundStore } from "../src/playground_store";
import { digitsOf } from "../src/sliders";

test("one question at a time, and the newest state in the next", () => {
  const sent: number[] = [];
  let now = 0;
  const pace = new Pace((id) => sent.push(id), 1000, () => now);
  for (let i = 0; i < 50; i++) pace.ask();
  assert.deepEqual(sent, [1]);
  assert.ok(pace.answered(1));
  assert.deepEqual(sent, [1, 2], "what changed meanwhile is asked once");
  assert.ok(pace.answered(2));
  assert.deepEqual(sent, [1, 2]);
  pace.ask();
  assert.ok(!pace.answered(2), "an old answer");
  now = 500;
  assert.equal(pace.waiting, 500);
  pace.ask();
  now = 1001;
  pace.ask();
  assert.deepEqual(sent, [1, 2, 3, 4], "after a while without an answer it asks again");
  assert.ok(!pace.answered(3));
  assert.ok(pace.answered(4));
  assert.equal(pace.waiting, 0);
});

test("the kernel may answer of its own accord", () => {
  const pace = new Pace(() => undefined);
  assert.ok(pace.answered(0));
  pace.ask();
  assert.ok(!pace.answered(0), "but not about inputs that have changed since");
});

test("a stroke has no gaps, and soft edges", () => {
  const ink = new Ink(28, 28, new Float32Array(28 * 28));
  ink.stroke(4.5, 4.5, 20.5, 4.5);
  for (let x = 4; x <= 20; x++) assert.equal(ink.cells[4 * 28 + x], 1);
  assert.ok(ink.cells[3 * 28 + 10]! > 0 && ink.cells[3 * 28 + 10]! < 1);
  assert.equal(ink.cells[9 * 28 + 10], 0);
  ink.stroke(12.5, 0, 12.5, 28, true);
  assert.equal(ink.cells[4 * 28 + 12], 0, "erased");
  assert.equal(ink.cells[4 * 28 + 20], 1);
  const empty = () => ink.cells.every((cell) => cell === 0);
  ink.clear();
  assert.ok(empty());
  for (const erase of [false, true]) ink.stroke(6.5, 3.5, 6.5, 20.5, erase);
  ink.stroke(6.5, 2.5, 6.5, 21.5, true);
  assert.ok(empty(), "one pass takes a stroke away");
});

test("a stroke over the border, and on a small grid", () => {
  const ink = new Ink(8, 8, new Float32Array(64));
  ink.stroke(-30, -30, 40, 40);
  for (let i = 0; i < 8; i++) assert.ok(ink.cells[i * 9]! > 0.9);
  assert.ok(ink.cells.every((cell) => cell >= 0 && cell <= 1));
  assert.equal(ink.cells[7], 0);
});

test("distances", () => {
  assert.equal(distance(0, 3, 0, 0, 0, 0), 3);
  assert.equal(distance(5, 2, 0, 0, 10, 0), 2);
  assert.equal(distance(13, 4, 0, 0, 10, 0), 5);
});

test("the largest first", () => {
  assert.deepEqual(largest([0.1, null, 0.7, 0.1]), [2, 0, 3, 1]);
});

test("what is spoken", () => {
  const kinds: GroupSpec = { name: "", kind: "bars", shape: [], labels: ["cat", "dog"] };
  const size: GroupSpec = { name: "size", kind: "values", shape: [], labels: ["metres"] };
  assert.equal(spoken([kinds], [[0.2, 0.8]]), "dog 80 %");
  assert.equal(spoken([kinds, size], [[0.9, 0.1], [1.234]]), "cat 90 %; size: metres 1.23");
});

test("digits of a step", () => {
  assert.deepEqual([1, 0.5, 0.05, 0.001, 20].map(digitsOf), [0, 1, 2, 3, 0]);
});

class FakeModel implements Model {
  sent: [ToKernel, Float32Array | null][] = [];
  private heard: (message: never) => void = () => undefined;

  constructor(private readonly traits: Record<string, unknown>) {}
  get(name: string): unknown {
    return this.traits[name];
  }
  send(content: ToKernel, _: unknown, buffers?: ArrayBuffer[]): void {
    this.sent.push([content, buffers ? new Float32Array(buffers[0]!) : null]);
  }
  on(_: string, callback: (message: never) => void): void {
    this.heard = callback;
  }
  answer(message: unknown): void {
    this.heard(message as never);
  }
}

const bytes = (...values: number[]) => new DataView(new Float32Array(values).buffer);

function store(): [PlaygroundStore, FakeModel] {
  (globalThis as { window?: unknown }).window ??= globalThis;
  const model = new FakeModel({
    _title: "m",
    _parts: [
      { kind: "sliders", name: "a", count: 1, sliders: [{ name: "a", low: 0, high: 9, step: 1 }] },
      { kind: "pad", name: "b", count: 2, rows: 1, columns: 2, dark_ink: false },
    ],
    _outputs: [{ name: "", kind: "values", labels: ["y"] }],
    _numbers: [[1]],
    _start: bytes(5, 0, 0),
    _samples: bytes(1, 0.5, 0.25, 2, 1, 1),
  });
  return [new PlaygroundStore(model), model];
}

test("the inputs of all parts travel together, and answers are told", () => {
  const [shared, model] = store();
  let told = 0;
  shared.listen(() => told++);
  shared.inputs[1]![0] = 0.5;
  shared.moved();
  assert.deepEqual(model.sent[0], [{ type: "inputs", id: 1 }, new Float32Array([5, 0.5, 0])]);
  shared.nextSample();
  assert.equal(model.sent.length, 1, "the first question is open");
  model.answer({ type: "prediction", id: 1, numbers: [[3]], step: null });
  assert.deepEqual(shared.numbers, [[3]]);
  assert.deepEqual(model.sent[1]![1], new Float32Array([1, 0.5, 0.25]));
  model.answer({ type: "error", id: 2, text: "ValueError: no" });
  assert.ok(shared.failed);
  assert.equal(shared.note, "ValueError: no");
  model.answer({ type: "prediction", id: 2, numbers: [[4]], step: 12 });
  assert.equal(shared.note, "training, step 12");
  assert.ok(!shared.failed && told >= 4);
});

test("samples come one after another, and the start comes back", () => {
  const [shared] = store();
  shared.nextSample();
  shared.nextSample();
  assert.deepEqual([...shared.inputs[0]!, ...shared.inputs[1]!], [2, 1, 1]);
  shared.nextSample();
  assert.deepEqual([...shared.inputs[0]!], [1]);
  shared.put(shared.start);
  assert.deepEqual([...shared.inputs[0]!, ...shared.inputs[1]!], [5, 0, 0]);
});

test("an image is grey or in colour, and black where it is no number", () => {
  const data = new Uint8ClampedArray(8);
  fill(data, [7, null], 1);
  assert.deepEqual([...data], [7, 7, 7, 255, 0, 0, 0, 255]);
  fill(data, [1, 2, 3, 4, 5, 6], 3);
  assert.deepEqual([...data], [1, 2, 3, 255, 4, 5, 6, 255]);
});
