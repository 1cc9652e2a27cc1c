import type { EnqueueOutcome, PreparedJob } from "../core/job.js";
import type { JobQueue, QueueState } from "../core/stores.js";
import type { RunStore } from "./run-store.js";

/** Jobs released in one go. */
const CHUNK_JOBS = 500;

/**
 * A queue that writes down which jobs of a run are in Redis, so that they can be found and taken out
 * when the run's owner is dead: nothing else knows them but its memory.
 */
export class TrackedQueue implements JobQueue {
  readonly #queue: JobQueue;
  readonly #store: RunStore;
  readonly #run: string;
  readonly #ttlSeconds: number;

  constructor(queue: JobQueue, store: RunStore, run: string, ttlSeconds: number) {
    this.#queue = queue;
    this.#store = store;
    this.#run = run;
    this.#ttlSeconds = ttlSeconds;
  }

  async enqueue(jobs: readonly PreparedJob[], owner: string): Promise<EnqueueOutcome[]> {
    // First of all: a job that is in Redis is always written down.
    const jobIds = jobs.map(({ jobId }) => jobId);
    await this.#store.addJobs(this.#run, jobIds, this.#ttlSeconds);
    return await this.#queue.enqueue(jobs, owner);
  }

  async states(jobIds: readonly string[]): Promise<QueueState[]> {
    return await this.#queue.states(jobIds);
  }

  async activeIds(): Promise<Set<string>> {
    return await this.#queue.activeIds();
  }

  async release(jobIds: readonly string[], owner: string): Promise<void> {
    await this.#queue.release(jobIds, owner);
    await this.#store.dropJobs(this.#run, jobIds);
  }

  /** Releases whatever is written down: of owners that died too. */
  async releaseAll(owner: string): Promise<void> {
    for (;;) {
      const jobIds = await this.#store.someJobs(this.#run, CHUNK_JOBS);
      if (jobIds.length === 0) return;
      await this.release(jobIds, owner);
    }
  }

  async refuse(owner: string): Promise<void> {
    await this.#queue.refuse(owner);
  }

  async admit(owner: string): Promise<void> {
    await this.#queue.admit(owner);
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    await this.#queue.cancel(jobIds, owner);
    await this.#store.dropJobs(this.#run, jobIds);
  }
}
