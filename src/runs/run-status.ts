import type { RunCounts } from "../core/run-counts.js";

/**
 * `submitting`: lines are still being taken in; `submitted`: at work. The others are final; `failed` is a
 * spooled run that its runner gave up.
 */
export type RunState = "submitting" | "submitted" | "cancelled" | "complete" | "failed";

/** The status of a submitted run. */
export interface RunStatus {
  readonly state: RunState;
  /** True if every record has ended, or never will. */
  readonly over: boolean;
  /** Records; grows while the run is submitting. */
  readonly total: number;
  /** Figures of the records that have ended; those of a cancelled run count as failed. */
  readonly counts: RunCounts;
  /** Records that have not ended and that no worker has in hand. */
  readonly waiting: number;
  /** Records whose jobs are in workers' hands. */
  readonly active: number;
}
