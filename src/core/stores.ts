import type { EncodedPair } from "./ports.js";
import type { EnqueueOutcome, JobRecord, PreparedJob } from "./job.js";

/** What `begin` found: the job is already over, or the attempt may go on under a fence. */
export type Started =
  | { readonly status: "ended"; readonly record: JobRecord }
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
 * Where rankings end up, exactly once to see: an attempt writes under the fence that it drew when
 * it began, and a later attempt's fence shuts out every earlier one.
 */
export interface ResultStore {
  /** Draws a fence for a new attempt at `jobId`. */
  begin(jobId: string): Promise<Started>;
  /** @returns false where a newer attempt has begun or the job was released: nothing was written */
  commit(jobId: string, fence: number, record: JobRecord, ttlSeconds: number): Promise<boolean>;
  /** One entry a job id, in order; undefined where the job has not ended or its record expired. */
  read(jobIds: readonly string[]): Promise<(JobRecord | undefined)[]>;
  /** Counts a pair that is about to run alone under suspicion. @returns times counted so far */
  accuse(jobId: string, pair: number): Promise<number>;
  /** The pair survived. */
  absolve(jobId: string, pair: number): Promise<void>;
}

/** Tells of jobs that ended. Notices may be lost (a broken connection): a reader also polls. */
export interface EndedNotices {
  /** @returns a function that stops the notices */
  onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>>;
}

/** Where BullMQ stands with a job. */
export type QueueState = "queued" | "failed" | "missing";

/** A model's queues as producers see them. */
export interface JobQueue {
  /**
   * Registers `owner` as waiting for each job and enqueues those that are neither under way nor
   * done. A job that failed for good is tried anew.
   *
   * @param jobs any number; sent in chunks, since `addBulk` is a pipeline and not atomic
   */
  enqueue(jobs: readonly PreparedJob[], owner: string): Promise<EnqueueOutcome[]>;
  /** One entry a job id, in order. */
  states(jobIds: readonly string[]): Promise<QueueState[]>;
  /** Ids of the jobs that workers hold at present. */
  activeIds(): Promise<Set<string>>;
  /** `owner` needs these no more: what nobody else waits for is deleted, result included. */
  release(jobIds: readonly string[], owner: string): Promise<void>;
  /** No worker begins a job any more that only `owner` waits for; undone by `admit`, or in an hour. */
  refuse(owner: string): Promise<void>;
  admit(owner: string): Promise<void>;
  /** As `release`, and takes what nobody else waits for out of the queue or stops it. */
  cancel(jobIds: readonly string[], owner: string): Promise<void>;
}

/** Runs that others feed to the same workers. */
export interface OtherFeeders {
  readonly runs: number;
  /** Bytes of requests that workers drain from all of them together. */
  readonly bytesPerSecond: number;
}

/** Where those who feed one model's workers see each other, so that each keeps to its share. */
export interface FeedingBoard {
  /** Says for some seconds that `owner` feeds, and what workers drain of it. @returns the others */
  post(owner: string, bytesPerSecond: number): Promise<OtherFeeders>;
  /** `owner` feeds no more. */
  remove(owner: string): Promise<void>;
}

/** Where large payloads lie. */
export interface PayloadStore {
  /** @returns the request as JSON, undefined where it is gone */
  read(jobId: string): Promise<string | undefined>;
}

/**
 * Logits of pairs that were scored before, by any worker whose logits are the same to the bit. It may
 * forget anything at any time, and never fails.
 */
export interface ScoreCache {
  /**
   * @returns one entry a pair, in order, undefined where the pair is not known; undefined for all
   *   where the cache cannot be asked at present
   */
  read(pairs: readonly EncodedPair[]): Promise<readonly (number | undefined)[] | undefined>;
  /**
   * Returns at once; keeps them if and when it can.
   *
   * @param logits one a pair
   */
  write(pairs: readonly EncodedPair[], logits: readonly number[]): void;
}
