import type { EnqueueOutcome, NewJob } from "../core/job.js";
import type { JobQueue, QueueState } from "../core/ports/job-queue.js";
import type { RunStore } from "../redis/run-store.js";

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

  async enqueue(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]> {
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

  async blockOwner(owner: string): Promise<void> {
    await this.#queue.blockOwner(owner);
  }

  async unblockOwner(owner: string): Promise<void> {
    await this.#queue.unblockOwner(owner);
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    await this.#queue.cancel(jobIds, owner);
    await this.#store.dropJobs(this.#run, jobIds);
  }

  async dropUnwanted(): Promise<void> {
    await this.#queue.dropUnwanted();
  }
}
