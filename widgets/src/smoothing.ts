// What a curve looks like when it is smoothed, or on a logarithmic scale.
import { niceTicks } from "./format";

/** A running mean in which each older value counts `weight` times the next; like all means, it starts at the first value. */
export function smoothed(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = sum * weight + value;
    total = total * weight + 1;
    return sum / total;
  });
}

/** Whether a logarithmic scale can show any of the values. */
export function anyPositive(values: Iterable<number>): boolean {
  for (const value of values) if (value > 0 && Number.isFinite(value)) return true;
  return false;
}

/** Round numbers between 10^low and 10^high: powers of ten, with others between them where there are few. */
export function logTicks(low: number, high: number): number[] {
  if (high - low < 0.8) return niceTicks(10 ** low, 10 ** high);
  const decades = Math.floor(high) - Math.ceil(low) + 1;
  const factors = decades >= 3 ? [1] : decades === 2 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / 6));
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    if (factors.length === 1 && power % every !== 0) continue;
    for (const factor of factors) {
      const at = Math.log10(factor) + power;
      if (at >= low && at <= high) ticks.push(Number(`${factor}e${power}`));
    }
  }
  return ticks;
}
