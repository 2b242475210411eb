import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, clock, niceTicks, short, steady } from "../src/format";
import { nextRound } from "../src/plot";

test("numbers", () => {
  assert.deepEqual([0, 0.10123, 12.3456, 123456, 1.5e-7, NaN, -Infinity].map(short),
    ["0", "0.101", "12.3", "1.23e5", "1.5e-7", "nan", "-inf"]);
  assert.deepEqual([0.5, 0, 123.456, 1e-5].map(steady), ["0.5000", "0.0000", "123.46", "1e-5"]);
});

test("times", () => {
  assert.deepEqual([0, 59.6, 61, 3725, -3].map(clock), ["0:00", "1:00", "1:01", "1:02:05", "0:00"]);
});

test("ticks are round and inside", () => {
  assert.deepEqual(niceTicks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(niceTicks(-0.03, 0.06), [-0.02, 0, 0.02, 0.04, 0.06]);
});

test("bounds ignore what cannot be drawn", () => {
  const [low, high] = bounds([NaN, 1, Infinity, 3]);
  assert.ok(low < 1 && low > 0.8 && high > 3 && high < 3.2);
  assert.deepEqual(bounds([]).map((b) => b.toFixed(2)), ["-0.06", "1.06"]);
  const [flatLow, flatHigh] = bounds([2, 2]);
  assert.ok(flatLow < 2 && flatHigh > 2);
});

test("the axis grows in few steps", () => {
  assert.deepEqual([0, 0.5, 1, 1.2, 3, 7, 10, 11, 501].map(nextRound), [1, 1, 1, 2, 5, 10, 10, 20, 1000]);
});
