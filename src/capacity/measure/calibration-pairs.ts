import type { EncodedPair } from "../../core/pair.js";

/**
 * Ids that every vocabulary has. The same tokens would do for memory and time; they differ so that
 * logits do.
 */
const IDS = 16;

/** A made-up pair of `length` tokens; another `seed`, another pair. */
export function madeUpPair(length: number, seed = 0): EncodedPair {
  const ids = Int32Array.from(
    { length },
    (_, index) => (index * 7 + seed * 5 + ((index * (seed + 1)) >> 3) + 3) % IDS,
  );
  return { ids, secondStart: length >> 1, truncated: false };
}

/** Equal to the bit, NaN included. */
export function sameBits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
