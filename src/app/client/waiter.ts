import { isErrorCode, RankmillError } from "../../core/errors.js";
import type { JobEnd } from "../../core/job.js";
import type { JobEndNotices } from "../../core/ports/job-end-notices.js";
import type { ResultStore } from "../../core/ports/result-store.js";

/** Without an answer for this long Redis counts as away: two polls have failed. */
const SILENT_MS = 2_500;
/** Notices can be lost with the connection: what is waited for is also asked for this often. */
const POLL_MS = 1_000;

export interface WaitOptions {
  /** @defaultValue for ever */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In whose name the job is waited for. @defaultValue "" */
  readonly owner?: string | undefined;
}

interface Waiting {
  readonly owner: string;
  readonly resolve: (line: string) => void;
  readonly reject: (error: RankmillError) => void;
}

/** Waits for any number of jobs of one model over one subscription. */
export class Waiter {
  readonly #results: ResultStore & JobEndNotices;
  readonly #waiting = new Map<string, Set<Waiting>>();
  #stop: () => Promise<void> = () => Promise.resolve();
  #poll: NodeJS.Timeout | undefined;
  /** When Redis last answered, by `performance.now`. */
  #answeredAtMs = performance.now();

  private constructor(results: ResultStore & JobEndNotices) {
    this.#results = results;
  }

  static async open(results: ResultStore & JobEndNotices): Promise<Waiter> {
    const waiter = new Waiter(results);
    waiter.#stop = await results.onEnded((jobId) => {
      if (waiter.#waiting.has(jobId)) void waiter.#ask([jobId]);
    });
    return waiter;
  }

  /**
   * @returns the job's output line
   * @throws RankmillError `timeout`; `redis_unavailable` if Redis did not answer at the end;
   *   `cancelled`, also once `signal` aborts; the job's own code if it failed
   */
  async wait(jobId: string, options: WaitOptions = {}): Promise<string> {
    const { timeoutMs, signal, owner = "" } = options;
    // Only the first of those that wait: one that comes during an outage does not end it.
    if (this.#waiting.size === 0) this.#answeredAtMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let entry: Waiting | undefined;
    const leave = (): void => entry?.reject(noLonger(jobId));
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await new Promise<string>((resolve, reject) => {
        entry = { owner, resolve, reject };
        const others = this.#waiting.get(jobId) ?? new Set();
        this.#waiting.set(jobId, others.add(entry));
        // An answer that has arrived is taken, even if this process was too busy to read it in time.
        const late = (): void => reject(this.#late(jobId, timeoutMs ?? 0));
        if (timeoutMs !== undefined) timer = setTimeout(() => setImmediate(late), timeoutMs);
        this.#poll ??= setInterval(() => void this.#ask([...this.#waiting.keys()]), POLL_MS);
        if (signal?.aborted === true) leave();
        void this.#ask([jobId]);
      });
    } finally {
      signal?.removeEventListener("abort", leave);
      clearTimeout(timer);
      const others = this.#waiting.get(jobId);
      if (entry !== undefined) others?.delete(entry);
      if (others?.size === 0) this.#waiting.delete(jobId);
      if (this.#waiting.size === 0) {
        clearInterval(this.#poll);
        this.#poll = undefined;
      }
    }
  }

  /** Tells those who wait for the job in this name that it was cancelled, unless it has ended. */
  async cancelled(jobId: string, owner = ""): Promise<void> {
    await this.#ask([jobId]);
    const all = [...(this.#waiting.get(jobId) ?? [])];
    for (const { reject } of all.filter((one) => one.owner === owner))
      reject(new RankmillError("cancelled", `job ${jobId} was cancelled`, { context: { jobId } }));
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    for (const waiting of this.#waiting.values()) {
      for (const { reject } of waiting)
        reject(new RankmillError("cancelled", "the client was closed"));
    }
    await this.#stop();
  }

  async #ask(jobIds: readonly string[]): Promise<void> {
    // An outage: the next poll asks again.
    const records = await this.#results.read(jobIds).catch(() => undefined);
    if (records === undefined) return;
    this.#answeredAtMs = performance.now();
    jobIds.forEach((jobId, i) => {
      const record = records[i];
      if (record === undefined) return;
      for (const waiting of this.#waiting.get(jobId) ?? []) settle(jobId, waiting, record);
    });
  }

  #late(jobId: string, timeoutMs: number): RankmillError {
    const silentMs = performance.now() - this.#answeredAtMs;
    return silentMs < SILENT_MS
      ? new RankmillError(
          "timeout",
          `job ${jobId} has no result after ${Math.round(timeoutMs)} ms`,
          {
            context: { jobId },
          },
        )
      : new RankmillError(
          "redis_unavailable",
          `Redis has not answered for ${Math.round(silentMs)} ms: whether job ${jobId} has a result is not known`,
          { context: { jobId } },
        );
  }
}

function noLonger(jobId: string): RankmillError {
  return new RankmillError("cancelled", `nobody waits for job ${jobId} any more`, {
    context: { jobId },
  });
}

function settle(jobId: string, waiting: Waiting, end: JobEnd): void {
  if (end.status === "done") return waiting.resolve(end.line);
  // A worker of another version may know codes that this one does not.
  const code = isErrorCode(end.code) ? end.code : "internal";
  waiting.reject(new RankmillError(code, end.message, { context: { jobId } }));
}
