import type { EncodedPair, PairOutcome } from "../pair.js";
import type { Priority } from "../priority.js";

/** Adds up the time for which a job's pairs were in the hands of lanes, each moment once. */
export interface LaneTime {
  laneMs: number;
}

/** Scores pairs; the batcher across jobs stands behind it. */
export interface PairScorer {
  /**
   * @param time what lanes spend on the pairs is added to it, for whoever wants to know
   * @returns one outcome per pair, in order
   * @throws RankmillError `cancelled` once `signal` aborts; `lane_failed` if no lane can work
   */
  score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
    time?: LaneTime,
  ): Promise<PairOutcome[]>;
}
