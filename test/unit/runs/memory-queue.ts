/** A queue and its results in memory, which do what a test tells them. */
import type { EnqueueOutcome, JobEnd, NewJob } from "../../../src/core/job.js";
import type { JobEndNotices } from "../../../src/core/ports/job-end-notices.js";
import type { FeedingBoard, OtherFeeders } from "../../../src/core/ports/feeding-board.js";
import type { JobQueue, QueueState } from "../../../src/core/ports/job-queue.js";
import type { ResultStore, Started } from "../../../src/core/ports/result-store.js";

export class MemoryQueue implements JobQueue {
  readonly queued = new Map<string, NewJob>();
  readonly owners = new Map<string, Set<string>>();
  readonly enqueued: string[] = [];
  readonly released: string[] = [];
  readonly cancelled: string[] = [];
  /** Most jobs that waited at once, and most bytes of them. */
  mostJobs = 0;
  mostBytes = 0;
  /** Jobs that workers hold at once, of those that are queued. */
  workers = 0;
  /** Called before every release. */
  onRelease: () => void = () => {};
  readonly results: MemoryResults;

  constructor(results: MemoryResults) {
    this.results = results;
  }

  enqueue(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]> {
    const outcomes = jobs.map((job): EnqueueOutcome => {
      const owners = this.owners.get(job.jobId) ?? new Set();
      this.owners.set(job.jobId, owners.add(owner));
      const record = this.results.records.get(job.jobId);
      if (record?.status === "done") return "done";
      this.results.records.delete(job.jobId);
      if (this.queued.has(job.jobId)) return "joined";
      this.queued.set(job.jobId, job);
      this.enqueued.push(job.jobId);
      return "queued";
    });
    const bytes = [...this.queued.values()].reduce((sum, job) => sum + job.envelope.bytes, 0);
    this.mostJobs = Math.max(this.mostJobs, this.queued.size);
    this.mostBytes = Math.max(this.mostBytes, bytes);
    return Promise.resolve(outcomes);
  }

  states(jobIds: readonly string[]): Promise<QueueState[]> {
    return Promise.resolve(jobIds.map((id) => (this.queued.has(id) ? "queued" : "missing")));
  }

  dropUnwanted(): Promise<void> {
    for (const jobId of this.queued.keys()) {
      if ((this.owners.get(jobId)?.size ?? 0) === 0) this.queued.delete(jobId);
    }
    return Promise.resolve();
  }

  activeIds(): Promise<Set<string>> {
    return Promise.resolve(new Set([...this.queued.keys()].slice(0, this.workers)));
  }

  release(jobIds: readonly string[], owner: string): Promise<void> {
    this.onRelease();
    for (const jobId of jobIds) {
      this.released.push(jobId);
      const owners = this.owners.get(jobId);
      owners?.delete(owner);
      if (owners?.size === 0) this.results.records.delete(jobId);
    }
    return Promise.resolve();
  }

  readonly refused = new Set<string>();

  blockOwner(owner: string): Promise<void> {
    this.refused.add(owner);
    return Promise.resolve();
  }

  unblockOwner(owner: string): Promise<void> {
    this.refused.delete(owner);
    return Promise.resolve();
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    this.cancelled.push(...jobIds);
    await this.release(jobIds, owner);
    for (const jobId of jobIds) this.queued.delete(jobId);
  }

  /** A worker ends the oldest `count` jobs; tells of it unless it is to be silent. */
  end(count: number, recordOf: (job: NewJob) => JobEnd = rankingOf, silent = false): string[] {
    const jobs = [...this.queued.values()].slice(0, count);
    for (const job of jobs) {
      this.results.records.set(job.jobId, recordOf(job));
      this.queued.delete(job.jobId);
      if (!silent) this.results.tell(job.jobId);
    }
    return jobs.map(({ jobId }) => jobId);
  }
}

export class MemoryResults implements ResultStore, JobEndNotices {
  readonly records = new Map<string, JobEnd>();
  readonly #listeners = new Set<(jobId: string) => void>();

  begin(jobId: string): Promise<Started> {
    const record = this.records.get(jobId);
    if (record !== undefined) return Promise.resolve({ status: "ended", record });
    return Promise.resolve({ status: "begun", fence: 1, attempts: 1 });
  }

  commit(jobId: string, _fence: number, record: JobEnd): Promise<boolean> {
    this.records.set(jobId, record);
    return Promise.resolve(true);
  }

  read(jobIds: readonly string[]): Promise<(JobEnd | undefined)[]> {
    return Promise.resolve(jobIds.map((jobId) => this.records.get(jobId)));
  }

  accuse(): Promise<number> {
    return Promise.resolve(1);
  }

  absolve(): Promise<void> {
    return Promise.resolve();
  }

  onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    return Promise.resolve(() => {
      this.#listeners.delete(listener);
      return Promise.resolve();
    });
  }

  tell(jobId: string): void {
    for (const listener of this.#listeners) listener(jobId);
  }
}

/** A board on which no other feeder stands, or those that a test puts there. */
export class MemoryBoard implements FeedingBoard {
  readonly posted = new Map<string, number>();
  others: OtherFeeders = { runs: 0, bytesPerSecond: 0 };
  posts = 0;

  post(owner: string, bytesPerSecond: number): Promise<OtherFeeders> {
    this.posts += 1;
    this.posted.set(owner, bytesPerSecond);
    return Promise.resolve(this.others);
  }

  remove(owner: string): Promise<void> {
    this.posted.delete(owner);
    return Promise.resolve();
  }
}

/** An output line that is as good as any. */
export function rankingOf(job: NewJob): JobEnd {
  const { id } = JSON.parse(job.envelope.request ?? job.payload ?? "") as { id: string };
  const usage = { pairs: 1, tokens: 3, truncated: 0 };
  return { status: "done", line: JSON.stringify({ id, model: "m", results: [], usage }) };
}
