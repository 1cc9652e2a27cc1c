import type { EnqueueOutcome, JobEnd, NewJob } from "../../../src/core/job.js";
import type { JobQueue, QueueState } from "../../../src/core/ports/job-queue.js";
import { MemoryJobs } from "./memory-jobs.js";

/** A queue in memory that remembers what it was asked, with workers that do what a test tells them. */
export class MemoryJobQueue implements JobQueue {
  readonly jobs: MemoryJobs;
  readonly enqueued: string[] = [];
  readonly released: string[] = [];
  readonly cancelled: string[] = [];
  /** Jobs that failed for good and were not enqueued again. */
  readonly #failed = new Set<string>();
  /** Most jobs that were in the queue at once. */
  mostJobs = 0;
  /** Jobs that workers hold at once, the oldest ones. */
  workers = 0;
  /** Called before every release. */
  onRelease: () => void = () => {};

  constructor(jobs: MemoryJobs = new MemoryJobs()) {
    this.jobs = jobs;
  }

  get size(): number {
    return this.jobs.queued.size;
  }

  enqueue(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]> {
    const outcomes = jobs.map((job) => this.jobs.enqueue(job, owner));
    const fresh = jobs.filter((_, i) => outcomes[i] === "queued");
    for (const { jobId } of fresh) {
      this.enqueued.push(jobId);
      this.#failed.delete(jobId);
    }
    this.mostJobs = Math.max(this.mostJobs, this.size);
    return Promise.resolve(outcomes);
  }

  states(jobIds: readonly string[]): Promise<QueueState[]> {
    return Promise.resolve(jobIds.map((jobId) => this.#stateOf(jobId)));
  }

  activeIds(): Promise<Set<string>> {
    return Promise.resolve(new Set([...this.jobs.queued.keys()].slice(0, this.workers)));
  }

  async release(jobIds: readonly string[], owner: string): Promise<void> {
    await Promise.resolve();
    this.#release(jobIds, owner);
  }

  async blockOwner(owner: string): Promise<void> {
    this.jobs.blockedOwners.add(owner);
    await this.cancel([...(await this.activeIds())], owner);
  }

  unblockOwner(owner: string): Promise<void> {
    this.jobs.blockedOwners.delete(owner);
    return Promise.resolve();
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    await Promise.resolve();
    this.cancelled.push(...jobIds);
    for (const jobId of this.#release(jobIds, owner)) this.jobs.queued.delete(jobId);
  }

  dropUnwanted(): Promise<void> {
    const { queued, owners } = this.jobs;
    for (const jobId of queued.keys()) if (!owners.has(jobId)) queued.delete(jobId);
    return Promise.resolve();
  }

  /**
   * Workers end the oldest `count` jobs.
   *
   * @param tells whether those who listen hear of it
   * @returns ids of the jobs that left the queue
   */
  end(count: number, endOf: (job: NewJob) => JobEnd = rankingOf, tells = true): string[] {
    const jobs = [...this.jobs.queued.values()].slice(0, count);
    for (const job of jobs) {
      const { jobId, envelope } = job;
      const started = this.jobs.begin(jobId);
      // The end is there before the job leaves the queue.
      if (started.status === "begun") {
        this.jobs.commit(jobId, started.fence, endOf(job), envelope.ttlSeconds, tells);
      }
      this.jobs.queued.delete(jobId);
      if (this.jobs.endOf(jobId)?.status === "failed") this.#failed.add(jobId);
    }
    return jobs.map(({ jobId }) => jobId);
  }

  #stateOf(jobId: string): QueueState {
    if (this.jobs.queued.has(jobId)) return "queued";
    return this.#failed.has(jobId) ? "failed" : "missing";
  }

  #release(jobIds: readonly string[], owner: string): string[] {
    this.onRelease();
    this.released.push(...jobIds);
    return jobIds.filter((jobId) => this.jobs.release(jobId, owner));
  }
}

/** An output line that is as good as any. */
export function rankingOf(job: NewJob): JobEnd {
  const { id } = JSON.parse(job.envelope.request ?? job.payload ?? "") as { id: string };
  const usage = { pairs: 1, tokens: 3, truncated: 0 };
  return { status: "done", line: JSON.stringify({ id, model: "m", results: [], usage }) };
}
