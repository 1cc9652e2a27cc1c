import type { EncodedPair, PairOutcome } from "../pair.js";
import type { Priority } from "../priority.js";

/** Scores pairs; the batcher across jobs stands behind it. */
export interface PairScorer {
  /**
   * @returns one outcome per pair, in order
   * @throws RankmillError `cancelled` once `signal` aborts; `lane_failed` if no lane can work
   */
  score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<PairOutcome[]>;
}
