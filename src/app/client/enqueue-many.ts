import { setMaxListeners } from "node:events";
import { RankmillError } from "../../core/errors.js";
import { Permits } from "../../platform/permits.js";
import { checkCall, type CallOptions } from "./call-options.js";
import { checkCount } from "./check-given.js";
import type { Ranking } from "./ranking.js";
import type { RerankOptions } from "./rerank-options.js";

/** Bounds on what `enqueueMany` has under way. */
export interface EnqueueManyOptions extends CallOptions {
  /** Jobs that are in the queue, or ranked and not yet taken by the loop, at most. @defaultValue 256 */
  readonly inFlightJobs?: number;
  /** UTF-8 bytes of their requests, at most; one that is larger goes alone. @defaultValue 64 MiB */
  readonly inFlightBytes?: number;
  /** Milliseconds for each job, from its enqueueing to its ranking. @defaultValue for ever */
  readonly timeoutMs?: number | undefined;
}

/** One request of `enqueueMany` with what became of it. */
export type ManyResult<R extends RerankOptions = RerankOptions> =
  | {
      readonly status: "done";
      /** Place of the request among those given, from 0. */
      readonly index: number;
      /** The request as it was given, with whatever else it carries. */
      readonly request: R;
      readonly ranking: Ranking;
    }
  | {
      readonly status: "failed";
      readonly index: number;
      readonly request: R;
      /** Its own error; others go on. */
      readonly error: RankmillError;
    };

/** Ranks one request. */
export interface ManyActions {
  /** UTF-8 bytes of the request. @throws RankmillError if it cannot be a job */
  readonly measure: (request: RerankOptions) => number;
  readonly rank: (request: RerankOptions, call: CallOptions) => Promise<Ranking>;
}

const IN_FLIGHT_JOBS = 256;
const IN_FLIGHT_BYTES = 67_108_864;

/** Errors that do not belong to one request: every other request would end in the same way. */
const ENDS_ALL = new Set(["redis_unavailable", "model_not_found", "model_ambiguous", "cancelled"]);

/** Results that are ready, and whoever waits for one. */
class Arrivals<T> {
  readonly #ready: T[] = [];
  #wake: (() => void) | undefined;

  add(item: T): void {
    this.#ready.push(item);
    this.wake();
  }

  take(): T | undefined {
    return this.#ready.shift();
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/**
 * Requests that are ranked with a bounded number under way: *reading* → *draining* (the source has ended) →
 * *over*; *stopped* from either of the first two, by an error, an abort or a loop that is left.
 */
class ManyRanked<R extends RerankOptions> {
  readonly #actions: ManyActions;
  readonly #options: EnqueueManyOptions;
  readonly #jobs: Permits;
  readonly #bytes: Permits;
  readonly #stop = new AbortController();
  readonly #arrivals = new Arrivals<{ result: ManyResult<R>; release: () => void }>();
  #reading = true;
  #open = 0;
  #ended: { readonly error: unknown } | undefined;

  constructor(actions: ManyActions, options: EnqueueManyOptions) {
    const { inFlightJobs = IN_FLIGHT_JOBS, inFlightBytes = IN_FLIGHT_BYTES } = options;
    this.#actions = actions;
    this.#options = options;
    this.#jobs = new Permits(inFlightJobs);
    this.#bytes = new Permits(inFlightBytes);
    // Each job in flight listens.
    setMaxListeners(0, this.#stop.signal);
  }

  async *results(
    requests: Iterable<R> | AsyncIterable<R>,
  ): AsyncGenerator<ManyResult<R>, void, undefined> {
    const { signal } = this.#options;
    const abort = (): void => this.#end(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    void this.#read(requests);
    try {
      for (;;) {
        // Results that are ready are given before an error ends the loop; an abort ends it at once.
        const next = signal?.aborted === true ? undefined : this.#arrivals.take();
        if (next !== undefined) {
          yield next.result;
          next.release();
        } else if (this.#ended !== undefined) {
          throw this.#ended.error;
        } else if (!this.#reading && this.#open === 0) {
          return;
        } else {
          await this.#arrivals.change();
        }
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#end(new RankmillError("cancelled", "nobody takes the rankings any more"));
    }
  }

  #end(error: unknown): void {
    this.#ended ??= { error };
    this.#stop.abort(error);
    this.#arrivals.wake();
  }

  async #read(requests: Iterable<R> | AsyncIterable<R>): Promise<void> {
    try {
      let index = 0;
      // Leaving the loop tells the source that no more is wanted.
      for await (const request of requests) {
        if (this.#stop.signal.aborted) break;
        await this.#begin(request, index);
        index += 1;
      }
    } catch (error) {
      this.#end(error);
    } finally {
      this.#reading = false;
      this.#arrivals.wake();
    }
  }

  /** Waits until the job has room; its ranking comes later. */
  async #begin(request: R, index: number): Promise<void> {
    const { signal } = this.#stop;
    const releases = [await this.#jobs.acquire(1, signal)];
    const release = (): void => {
      for (const one of releases) one();
    };
    try {
      releases.push(await this.#bytes.acquire(this.#actions.measure(request), signal));
    } catch (error) {
      if (signal.aborted || !(error instanceof RankmillError)) throw error;
      this.#arrivals.add({ result: { status: "failed", index, request, error }, release });
      return;
    }
    this.#open += 1;
    void this.#rank(request, index, release);
  }

  async #rank(request: R, index: number, release: () => void): Promise<void> {
    const { timeoutMs } = this.#options;
    try {
      const ranking = await this.#actions.rank(request, { timeoutMs, signal: this.#stop.signal });
      this.#arrivals.add({ result: { status: "done", index, request, ranking }, release });
    } catch (error) {
      if (!(error instanceof RankmillError) || ENDS_ALL.has(error.code)) this.#end(error);
      else this.#arrivals.add({ result: { status: "failed", index, request, error }, release });
    } finally {
      this.#open -= 1;
      this.#arrivals.wake();
    }
  }
}

/** Ranks requests with a bounded number under way, and gives their results as they come. */
export function rankMany<R extends RerankOptions>(
  requests: Iterable<R> | AsyncIterable<R>,
  actions: ManyActions,
  options: EnqueueManyOptions,
): AsyncGenerator<ManyResult<R>, void, undefined> {
  checkCall(options);
  const { inFlightJobs, inFlightBytes } = options;
  if (inFlightJobs !== undefined) checkCount("inFlightJobs", inFlightJobs, "jobs");
  if (inFlightBytes !== undefined) checkCount("inFlightBytes", inFlightBytes, "bytes");
  return new ManyRanked<R>(actions, options).results(requests);
}
