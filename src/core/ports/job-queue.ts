import type { EnqueueOutcome, NewJob } from "../job.js";

/** The state of a job in BullMQ. */
export type QueueState = "queued" | "failed" | "missing";

/** A model's queues as producers see them. */
export interface JobQueue {
  /**
   * Registers `owner` as waiting for each job and enqueues those that are neither under way nor
   * done. A job that failed for good is tried anew.
   *
   * @param jobs any number; sent in chunks, since `addBulk` is a pipeline and not atomic
   */
  enqueue(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]>;
  /** One entry per job id, in order. */
  states(jobIds: readonly string[]): Promise<QueueState[]>;
  /** Ids of the jobs that workers hold at present. */
  activeIds(): Promise<Set<string>>;
  /** `owner` needs these no more: what nobody else waits for is deleted, result included. */
  release(jobIds: readonly string[], owner: string): Promise<void>;
  /** No worker begins a job any more that only `owner` waits for; undone by `admit`, or in an hour. */
  blockOwner(owner: string): Promise<void>;
  unblockOwner(owner: string): Promise<void>;
  /** Releases jobs, and takes those that nobody else waits for out of the queue or stops them. */
  cancel(jobIds: readonly string[], owner: string): Promise<void>;
  /**
   * Takes all jobs that nobody waits for out of the queue, and stops those in workers' hands: any number
   * at once, while `cancel` takes few.
   */
  dropUnwanted(): Promise<void>;
}
