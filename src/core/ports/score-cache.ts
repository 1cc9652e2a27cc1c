import type { EncodedPair } from "../pair.js";

/**
 * Logits of pairs that were scored before, by any worker whose logits are the same to the bit. It may
 * forget anything at any time, and never fails.
 */
export interface ScoreCache {
  /**
   * @returns one entry per pair, in order, undefined if the pair is not known; undefined for all
   *   if the cache cannot be asked at present
   */
  read(pairs: readonly EncodedPair[]): Promise<readonly (number | undefined)[] | undefined>;
  /**
   * Returns at once; keeps them if and when it can.
   *
   * @param logits one per pair
   */
  write(pairs: readonly EncodedPair[], logits: readonly number[]): void;
}
