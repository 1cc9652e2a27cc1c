import type { JobQueue } from "../core/ports/job-queue.js";

/** The jobs of one request, and in whose name they are held. */
export interface HeldSet {
  readonly tag: string;
  readonly queue: JobQueue;
  readonly owner: string;
  readonly jobIds: readonly string[];
}

export interface HeldJobsOptions {
  /** A client that hung up may ask again within this time, and joins its job. */
  readonly graceMs: number;
  /** Told of what Redis refused; the keys then go with their time to live. */
  readonly onError: (error: unknown) => void;
}

type Leave = (jobIds: readonly string[]) => Promise<void>;

/**
 * Counts the requests of this process that wait for each job, so that the first to be answered does
 * not take the result away from the others, and so that nobody joins a job that is just being let go.
 *
 * A job of an owner is *held* → *leaving* (its keys are being deleted, or handed over) → gone. Who
 * comes meanwhile waits for its end.
 */
export class HeldJobs {
  readonly #options: HeldJobsOptions;
  readonly #holders = new Map<string, number>();
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #inGrace = new Map<NodeJS.Timeout, () => void>();

  constructor(options: HeldJobsOptions) {
    this.#options = options;
  }

  /** Jobs that somebody waits for, and those of clients that hung up a moment ago. */
  get size(): number {
    return this.#holders.size;
  }

  /** Whether all of them are held already. */
  has(set: HeldSet): boolean {
    return keysOf(set).every((key) => this.#holders.has(key));
  }

  /** Resolves once the jobs may be enqueued. Each call is ended by exactly one `end`. */
  async hold(set: HeldSet): Promise<void> {
    const keys = keysOf(set);
    for (const key of keys) this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    await Promise.all(keys.flatMap((key) => this.#leaving.get(key) ?? []));
  }

  /** The request has its answer: results that no other waits for go at once. */
  end(set: HeldSet): void {
    this.#drop(set, (jobIds) => set.queue.release(jobIds, set.owner));
  }

  /** The client hung up: after the grace, jobs that nobody waits for are stopped. */
  endAfterGrace(set: HeldSet): void {
    const stop = (): void => {
      this.#inGrace.delete(timer);
      this.#drop(set, (jobIds) => set.queue.cancel(jobIds, set.owner));
    };
    const timer = setTimeout(stop, this.#options.graceMs);
    this.#inGrace.set(timer, stop);
  }

  /** The request leaves, and its jobs go on for somebody else, whom `handOver` names. */
  endWith(set: HeldSet, handOver: Leave): void {
    this.#drop(set, handOver);
  }

  /** Ends all graces, and waits until all that is leaving has left. */
  async close(): Promise<void> {
    for (const [timer, stop] of this.#inGrace) {
      clearTimeout(timer);
      stop();
    }
    await Promise.all(this.#leaving.values());
  }

  #drop(set: HeldSet, leave: Leave): void {
    const unheld = set.jobIds.filter((jobId) => this.#isLast(keyOf(set, jobId)));
    if (unheld.length === 0) return;
    const keys = unheld.map((jobId) => keyOf(set, jobId));
    const left = leave(unheld)
      .catch(this.#options.onError)
      .finally(() => {
        for (const key of keys) if (this.#leaving.get(key) === left) this.#leaving.delete(key);
      });
    for (const key of keys) this.#leaving.set(key, left);
  }

  #isLast(key: string): boolean {
    const left = (this.#holders.get(key) ?? 1) - 1;
    if (left > 0) this.#holders.set(key, left);
    else this.#holders.delete(key);
    return left <= 0;
  }
}

function keysOf(set: HeldSet): string[] {
  return set.jobIds.map((jobId) => keyOf(set, jobId));
}

function keyOf({ tag, owner }: HeldSet, jobId: string): string {
  return `${tag}\n${owner}\n${jobId}`;
}
