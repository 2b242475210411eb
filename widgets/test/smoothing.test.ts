import assert from "node:assert/strict";
import { test } from "node:test";
import { closest } from "../src/plot";
import { anyPositive, logTicks, smoothed } from "../src/smoothing";

test("smoothing starts at the first value, follows the curve, and leaves gaps", () => {
  assert.deepEqual(smoothed([1, 2, 3], 0), [1, 2, 3]);
  const flat = smoothed([5, 5, 5], 0.9);
  assert.ok(flat.every((v) => Math.abs(v - 5) < 1e-12));
  const step = smoothed([0, 1, 1, 1, 1], 0.5);
  assert.ok(step.every((v, i) => i === 0 || v > step[i - 1]!) && step[4]! < 1);
  const gap = smoothed([1, NaN, 1], 0.9);
  assert.ok(Number.isNaN(gap[1]) && gap[2] === 1);
});

test("logarithmic ticks are few, round and inside", () => {
  assert.deepEqual(logTicks(-3, 0), [0.001, 0.01, 0.1, 1]);
  assert.deepEqual(logTicks(-1.2, 0.2), [0.1, 0.3, 1]);
  assert.deepEqual(logTicks(-0.1, 0.9), [1, 2, 5]);
  assert.ok(logTicks(-0.3, 0).length >= 3, "a narrow range has ticks too");
  assert.ok(logTicks(-30, 0).length <= 8);
  for (const tick of logTicks(-2.5, 1.5)) assert.ok(tick >= 10 ** -2.5 && tick <= 10 ** 1.5);
});

test("what a logarithmic scale can show", () => {
  assert.ok(anyPositive([-1, NaN, 2]));
  assert.ok(!anyPositive([0, -1, NaN, Infinity]));
});

test("the closest point of a sorted list", () => {
  assert.deepEqual([-9, 0.4, 0.6, 2.6, 99].map((x) => closest([0, 1, 2, 3], x)), [0, 0, 1, 3, 3]);
  assert.equal(closest([], 1), -1);
});
