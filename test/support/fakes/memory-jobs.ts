/**
 * All that is known of one model's jobs, in memory: its queue, its results and its payloads share it, as
 * those in Redis share the keys of a job.
 */
import type { EnqueueOutcome, JobEnd, NewJob } from "../../../src/core/job.js";
import type { Started } from "../../../src/core/ports/result-store.js";

interface Attempts {
  readonly fence: number;
  readonly count: number;
}

export class MemoryJobs {
  /** Jobs that wait or that workers hold, oldest first. */
  readonly queued = new Map<string, NewJob>();
  readonly owners = new Map<string, Set<string>>();
  readonly blockedOwners = new Set<string>();
  readonly payloads = new Map<string, string>();
  readonly ends = new Map<string, JobEnd>();
  /** Times that each pair of a job was accused, by job id. */
  readonly accused = new Map<string, Map<number, number>>();
  readonly listeners = new Set<(jobId: string) => void>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #expireAtMs = new Map<string, number>();
  #lastFence = 0;

  /** `owner` waits for the job, whether or not the queue has it. */
  want(jobId: string, owner: string): void {
    const owners = this.owners.get(jobId) ?? new Set();
    this.owners.set(jobId, owners.add(owner));
  }

  enqueue(job: NewJob, owner: string): EnqueueOutcome {
    const { jobId, payload } = job;
    const end = this.endOf(jobId);
    // Nobody waits for it: it is on its way out.
    if (!this.owners.has(jobId)) this.queued.delete(jobId);
    this.want(jobId, owner);
    if (end?.status === "done") return "done";
    if (this.queued.has(jobId)) return "joined";
    this.ends.delete(jobId);
    if (payload !== undefined) this.payloads.set(jobId, payload);
    this.queued.set(jobId, job);
    return "queued";
  }

  /** @returns whether nobody waits for the job any more: it was forgotten */
  release(jobId: string, owner: string): boolean {
    const owners = this.owners.get(jobId);
    owners?.delete(owner);
    if (owners !== undefined && owners.size > 0) return false;
    this.#forget(jobId);
    return true;
  }

  begin(jobId: string): Started {
    const record = this.endOf(jobId);
    if (record !== undefined) return { status: "ended", record };
    const owners = [...(this.owners.get(jobId) ?? [])];
    if (owners.every((owner) => this.blockedOwners.has(owner))) return { status: "unwanted" };
    this.setAttempts(jobId, this.attemptsAt(jobId) + 1);
    return { status: "begun", fence: this.#lastFence, attempts: this.attemptsAt(jobId) };
  }

  /** @param tells whether those who listen hear of it: a notice may be lost */
  commit(jobId: string, fence: number, end: JobEnd, ttlSeconds: number, tells = true): boolean {
    if (this.#attempts.get(jobId)?.fence !== fence) return false;
    this.ends.set(jobId, end);
    this.payloads.delete(jobId);
    this.#expireAtMs.set(jobId, Date.now() + ttlSeconds * 1_000);
    if (tells) for (const listener of this.listeners) listener(jobId);
    return true;
  }

  endOf(jobId: string): JobEnd | undefined {
    const expired = Date.now() >= (this.#expireAtMs.get(jobId) ?? Infinity);
    if (this.ends.has(jobId) && expired) this.#forget(jobId);
    return this.ends.get(jobId);
  }

  attemptsAt(jobId: string): number {
    return this.#attempts.get(jobId)?.count ?? 0;
  }

  /** The job has been begun so often, the last time just now. */
  setAttempts(jobId: string, count: number): void {
    this.#lastFence += 1;
    this.#attempts.set(jobId, { fence: this.#lastFence, count });
  }

  #forget(jobId: string): void {
    this.owners.delete(jobId);
    this.payloads.delete(jobId);
    this.ends.delete(jobId);
    this.accused.delete(jobId);
    this.#attempts.delete(jobId);
    this.#expireAtMs.delete(jobId);
  }
}
