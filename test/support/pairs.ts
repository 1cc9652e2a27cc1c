import type { EncodedPair } from "../../src/core/pair.js";

/** A pair whose logit the lanes in memory know: its first id. */
export function pairOf(first: number, tokens = 1): EncodedPair {
  const ids = new Int32Array(tokens);
  ids[0] = first;
  return { ids, secondStart: tokens, truncated: false };
}

export function firstId(pair: EncodedPair): number {
  return pair.ids[0] ?? -1;
}
