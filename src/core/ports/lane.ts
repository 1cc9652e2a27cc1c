import type { EncodedPair } from "../pair.js";

/** One process that batches the model; it takes one batch at a time. */
export interface Lane {
  readonly id: number;
  /** False once its process is gone; it never comes back, another takes its place. */
  readonly alive: boolean;
  /** Resolves with the reason once its process is gone. */
  readonly died?: Promise<string>;
  /** Bytes of memory that it took since it became ready; absent if unknown. */
  readonly grownBytes?: number;
  /**
   * @param batches each inner list is one `session.run`, padded to its longest pair
   * @returns one logit per pair, same shape as `batches`
   * @throws RankmillError `lane_failed` if the process died or the runtime refused
   */
  score(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]>;
}
