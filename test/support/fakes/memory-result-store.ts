import type { JobEnd } from "../../../src/core/job.js";
import type { JobEndNotices } from "../../../src/core/ports/job-end-notices.js";
import type { ResultStore, Started } from "../../../src/core/ports/result-store.js";
import { MemoryJobs } from "./memory-jobs.js";

/** Results in memory, and the notices of them. */
export class MemoryResultStore implements ResultStore, JobEndNotices {
  readonly jobs: MemoryJobs;
  /** Called before every read. */
  onRead: () => void = () => {};

  constructor(jobs: MemoryJobs = new MemoryJobs()) {
    this.jobs = jobs;
  }

  begin(jobId: string): Promise<Started> {
    return Promise.resolve(this.jobs.begin(jobId));
  }

  commit(jobId: string, fence: number, end: JobEnd, ttlSeconds: number): Promise<boolean> {
    return Promise.resolve(this.jobs.commit(jobId, fence, end, ttlSeconds));
  }

  read(jobIds: readonly string[]): Promise<(JobEnd | undefined)[]> {
    this.onRead();
    return Promise.resolve(jobIds.map((jobId) => this.jobs.endOf(jobId)));
  }

  accuse(jobId: string, pair: number): Promise<number> {
    const pairs = this.jobs.accused.get(jobId) ?? new Map<number, number>();
    const times = (pairs.get(pair) ?? 0) + 1;
    this.jobs.accused.set(jobId, pairs.set(pair, times));
    return Promise.resolve(times);
  }

  absolve(jobId: string, pair: number): Promise<void> {
    const pairs = this.jobs.accused.get(jobId);
    pairs?.delete(pair);
    if (pairs?.size === 0) this.jobs.accused.delete(jobId);
    return Promise.resolve();
  }

  onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>> {
    this.jobs.listeners.add(listener);
    return Promise.resolve(() => {
      this.jobs.listeners.delete(listener);
      return Promise.resolve();
    });
  }
}
