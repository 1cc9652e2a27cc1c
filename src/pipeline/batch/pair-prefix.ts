import type { EncodedPair } from "../../core/pair.js";

/** The tokens at the start of a pair that are computed once for all documents of its query. */
export interface PairPrefix {
  /** Of two prefixes with one key, one may be another: lanes compare the tokens themselves. */
  readonly key: number;
  readonly tokens: number;
}

/** The prefix of a pair whose model computes each pair whole. */
export const NO_PREFIX: PairPrefix = { key: 0, tokens: 0 };

export function prefixOf({ ids, secondStart }: EncodedPair): PairPrefix {
  if (secondStart >= ids.length) return NO_PREFIX;
  let key = secondStart;
  for (const id of ids.subarray(0, secondStart)) {
    key = Math.imul(key ^ id, 0x85ebca6b);
    key ^= key >>> 13;
  }
  return { key, tokens: secondStart };
}
