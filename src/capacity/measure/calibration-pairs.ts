import type { EncodedPair } from "../../core/pair.js";

/**
 * Ids that every vocabulary has. The same tokens would do for memory and time; they differ so that
 * logits do.
 */
const IDS = 16;

/**
 * A made-up pair of `length` tokens; another `seed`, another document of the same query.
 *
 * @param shared tokens of all pairs with this query. One by default: such a pair is the dearest of its length
 */
export function madeUpPair(length: number, seed = 0, shared = 1): EncodedPair {
  const ids = Int32Array.from({ length }, (_, index) => {
    const own = index < shared ? 0 : seed;
    return (index * 7 + own * 5 + ((index * (own + 1)) >> 3) + 3) % IDS;
  });
  return { ids, secondStart: Math.min(shared, length), truncated: false };
}

/** Equal to the bit, NaN included. */
export function sameBits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
