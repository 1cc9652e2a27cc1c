import type { JobEnd } from "../job.js";

/** The result of `begin`: the job is already over, or the attempt may go on under a fence. */
export type Started =
  | { readonly status: "ended"; readonly record: JobEnd }
  /** All who wait for it are refused, see {@link JobQueue.refuse}. */
  | { readonly status: "unwanted" }
  | {
      readonly status: "begun";
      /** Larger than that of every earlier attempt at any job of the model. */
      readonly fence: number;
      /** Attempts begun so far, this one included; survives the worker. */
      readonly attempts: number;
    };

/**
 * The store of rankings, each of which is seen exactly once: an attempt writes under the fence that it drew when
 * it began, and a later attempt's fence shuts out every earlier one.
 */
export interface ResultStore {
  /** Draws a fence for a new attempt at `jobId`. */
  begin(jobId: string): Promise<Started>;
  /** @returns false if a newer attempt has begun or the job was released: nothing was written */
  commit(jobId: string, fence: number, record: JobEnd, ttlSeconds: number): Promise<boolean>;
  /** One entry per job id, in order; undefined if the job has not ended or its record expired. */
  read(jobIds: readonly string[]): Promise<(JobEnd | undefined)[]>;
  /**
   * Counts a pair that is about to run alone under suspicion, or a part of the job that is about to be
   * tokenised alone (`tokenisedPart`).
   *
   * @returns times counted so far
   */
  accuse(jobId: string, pair: number): Promise<number>;
  /** The worker survived it. */
  absolve(jobId: string, pair: number): Promise<void>;
}

/**
 * Stands in for a pair's number: a part of the job while it is tokenised, before it has pairs.
 *
 * @param part 0 for the first
 */
export function tokenisedPart(part: number): number {
  return -1 - part;
}
