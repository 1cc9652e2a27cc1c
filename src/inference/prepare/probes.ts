import type { BatchInput } from "../lanes/lane-protocol.js";

/**
 * Batches that the original and the prepared graph must score alike: short and longer rows, alone and padded
 * together. The ids are among the first of any vocabulary, the lengths within any model's.
 */
export const PROBES: readonly BatchInput[] = [[3], [24], [16, 9]].map(probeOf);
/** Batches for a graph that reads no mask; above what attention works on at once, too. */
export const WHOLE_PROBES: readonly BatchInput[] = [[3], [24], [16, 16], [150]].map(probeOf);

function probeOf(lengths: readonly number[]): BatchInput {
  return {
    ids: lengths.map((length) => Int32Array.from({ length }, (_, index) => (index * 7 + 3) % 16)),
    secondStarts: lengths.map((length) => length >> 1),
  };
}

/** The largest number, whatever its sign; NaN if one is. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i += 1) most = Math.max(most, Math.abs(values[i] ?? NaN));
  return most;
}

/** The largest difference between numbers in one place; NaN if one is, or one is missing. */
export function furthest(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) return NaN;
  let most = 0;
  for (let i = 0; i < one.length; i += 1) {
    most = Math.max(most, Math.abs((one[i] ?? NaN) - (other[i] ?? NaN)));
  }
  return most;
}

/** The size of the differences between numbers; NaN if one is. @param other no number: 0 */
export function rootMeanSquare(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < one.length; i += 1) sum += ((one[i] ?? 0) - (other[i] ?? 0)) ** 2;
  return Math.sqrt(sum / Math.max(1, one.length));
}
