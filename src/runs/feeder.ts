import type { RankingSink } from "../core/ports/ranking-sink.js";
import { setTimeout as sleep } from "node:timers/promises";
import { toWireRequest } from "../core/contract.js";
import type { JobEnd, NewJob } from "../core/job.js";
import type { InputRecord, RecordFailure, ValidRecord } from "../core/record.js";
import type { JobEndNotices } from "../core/ports/job-end-notices.js";
import type { FeedingBoard } from "../core/ports/feeding-board.js";
import type { JobQueue } from "../core/ports/job-queue.js";
import type { ResultStore } from "../core/ports/result-store.js";
import { MAX_REQUEUES, reconcile } from "./reconcile.js";
import { type InFlightBounds } from "../core/in-flight-bounds.js";
import { InFlightLimit } from "./in-flight-limit.js";

export interface FeederParts {
  readonly queue: JobQueue;
  readonly results: ResultStore & JobEndNotices;
  readonly board: FeedingBoard;
  readonly sink: RankingSink;
  readonly makeJob: (record: ValidRecord) => NewJob;
  /** Under what name the run waits for its jobs. */
  readonly owner: string;
  readonly inFlight: InFlightBounds;
}

interface InFlight {
  readonly record: ValidRecord;
  readonly jobId: string;
  /** When Redis had it, by the steady clock; before that it cannot be lost. */
  enqueuedAtMs: number | undefined;
  requeues: number;
}

/** A record on its way into the queue. Its job is not kept: the record says it all. */
interface Entering {
  readonly record: ValidRecord;
  readonly job: NewJob;
}

/** Jobs enqueued in one go; also how far the reader runs ahead of Redis. */
const CHUNK_JOBS = 250;
/** Bytes of requests enqueued in one go. */
const CHUNK_BYTES = 8_388_608;
/** A chunk that is not full leaves after this long: input may come from a slow pipe. */
const LINGER_MS = 50;
/** Ended jobs are collected in batches: one round trip and one fsync for all of this time. */
const COLLECT_INTERVAL_MS = 25;
/**
 * The interval at which jobs that are in flight for as long as this are compared with queue and
 * results: notices can be lost.
 */
const RECONCILE_INTERVAL_MS = 3_000;
/** The interval at which the limit adapts to the workers. */
const ADAPT_INTERVAL_MS = 500;
/** The interval at first, when the limit knows nothing, and while it is too small for the workers. */
const FIRST_ADAPT_MS = 50;
/** Jobs compared at once. */
const RECONCILE_CHUNK_JOBS = 500;
/** Rankings fetched in one round trip. */
const COLLECT_CHUNK_JOBS = 200;

/**
 * A run's feeder and collector: records in, rankings out, a bounded number of jobs in between.
 *
 * A record is *in flight* from the moment its job is enqueued until its ranking is on disk; only
 * then is the job released in Redis, so that a crash at any point loses nothing: what was not on
 * disk is enqueued again by the next start, and joins the job where it still is.
 */
export class Feeder {
  readonly #parts: FeederParts;
  readonly #limit: InFlightLimit;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #ended = new Set<string>();

  constructor(parts: FeederParts) {
    this.#parts = parts;
    this.#limit = new InFlightLimit(parts.inFlight);
  }

  /**
   * Runs to the end of `records`, or until `signal` aborts; then everything collected so far is on
   * disk and what is still in flight stays behind in the queue, see {@link abandon}.
   */
  async run(records: AsyncIterable<InputRecord>, signal: AbortSignal): Promise<void> {
    const stop = await this.#parts.results.onEnded((jobId) => {
      if (this.#inFlight.has(jobId)) this.#ended.add(jobId);
    });
    // Whichever side fails takes the other along.
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const done = new AbortController();
    const guard = async (side: Promise<void>): Promise<void> => {
      try {
        await side;
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    };
    try {
      const feeding = guard(this.#feed(records, either)).finally(() => done.abort());
      const adapting = guard(this.#adapt(AbortSignal.any([either, done.signal])));
      const collecting = guard(this.#collect(done.signal, either));
      const sides = await Promise.allSettled([feeding, adapting, collecting]);
      const rejected = sides.find((side) => side.status === "rejected");
      if (rejected !== undefined) throw rejected.reason;
    } finally {
      await stop();
    }
  }

  /** Ids of the jobs in flight. */
  inFlightIds(): string[] {
    return [...this.#inFlight.keys()];
  }

  /**
   * Collects what has ended since (the worker's drain finished jobs and nobody listens any more), then
   * gives up what is in flight: takes from the queue what nobody else waits for.
   */
  async abandon(): Promise<number> {
    for (const jobId of this.#inFlight.keys()) this.#ended.add(jobId);
    await this.#takeEnded();
    const jobIds = [...this.#inFlight.keys()];
    await this.#parts.queue.cancel(jobIds, this.#parts.owner);
    return jobIds.length;
  }

  async #feed(records: AsyncIterable<InputRecord>, signal: AbortSignal): Promise<void> {
    let chunk: Entering[] = [];
    let chunkBytes = 0;
    const send = async (): Promise<void> => {
      const sending = chunk;
      chunk = [];
      chunkBytes = 0;
      await this.#enqueue(sending);
    };
    const waits = new Waits(signal);
    const iterator = records[Symbol.asyncIterator]();
    let next = iterator.next();
    while (!signal.aborted) {
      const read = await waits.for(next, chunk.length > 0 ? LINGER_MS : undefined);
      if (read === undefined) {
        await send();
        continue;
      }
      if (read.done === true) break;
      const record = read.value;
      next = iterator.next();
      if (record.status === "invalid") {
        await this.#parts.sink.fail([record.failure]);
        continue;
      }
      if (!this.#limit.fits(record.bytes)) {
        await send();
        while (!this.#limit.fits(record.bytes) && !signal.aborted) {
          await this.#limit.untilChanged(signal);
        }
        if (signal.aborted) return;
      }
      this.#limit.enter(record.bytes);
      chunk.push({ record, job: this.#parts.makeJob(record) });
      chunkBytes += record.bytes;
      if (chunk.length >= CHUNK_JOBS || chunkBytes >= CHUNK_BYTES) await send();
    }
    if (!signal.aborted) await send();
  }

  async #enqueue(entering: readonly Entering[]): Promise<void> {
    if (entering.length === 0) return;
    // Known before they can end: a notice must find its job here.
    const entries = entering.map(({ record, job: { jobId } }) => {
      const entry: InFlight = { record, jobId, enqueuedAtMs: undefined, requeues: 0 };
      this.#inFlight.set(jobId, entry);
      return entry;
    });
    const outcomes = await this.#parts.queue.enqueue(
      entering.map(({ job }) => job),
      this.#parts.owner,
    );
    const enqueuedAtMs = performance.now();
    entries.forEach((entry, i) => {
      entry.enqueuedAtMs = enqueuedAtMs;
      if (outcomes[i] === "done") this.#ended.add(entry.jobId);
    });
  }

  /** Adapts the limit to the workers, until all is fed or `signal` aborts. */
  async #adapt(signal: AbortSignal): Promise<void> {
    const { queue, board, owner } = this.#parts;
    let intervalMs = FIRST_ADAPT_MS;
    while (!signal.aborted) {
      const others = await board.post(owner, this.#limit.bytesPerSecond);
      let activeJobs = 0;
      let activeBytes = 0;
      for (const jobId of await queue.activeIds()) {
        const bytes = this.#inFlight.get(jobId)?.record.bytes;
        if (bytes === undefined) continue;
        activeJobs += 1;
        activeBytes += bytes;
      }
      const starved = this.#limit.adapt({
        atMs: performance.now(),
        activeJobs,
        activeBytes,
        otherRuns: others.runs,
        otherBytesPerSecond: others.bytesPerSecond,
      });
      if (starved) intervalMs = FIRST_ADAPT_MS;
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
      intervalMs = Math.min(ADAPT_INTERVAL_MS, intervalMs * 2);
    }
    await board.remove(owner);
  }

  async #collect(fed: AbortSignal, signal: AbortSignal): Promise<void> {
    let reconciledAtMs = Date.now();
    while (!signal.aborted && !(fed.aborted && this.#inFlight.size === 0)) {
      await sleep(COLLECT_INTERVAL_MS);
      await this.#takeEnded();
      if (Date.now() - reconciledAtMs >= RECONCILE_INTERVAL_MS) {
        await this.#reconcile();
        reconciledAtMs = Date.now();
      }
    }
    await this.#takeEnded();
  }

  async #takeEnded(): Promise<void> {
    while (this.#ended.size > 0) {
      const jobIds = [...this.#ended].slice(0, COLLECT_CHUNK_JOBS);
      for (const jobId of jobIds) this.#ended.delete(jobId);
      const records = await this.#parts.results.read(jobIds);
      const ended = jobIds.flatMap((jobId, i) => {
        const record = records[i];
        return record === undefined ? [] : [{ jobId, record }];
      });
      await this.#store(ended);
    }
  }

  async #store(ended: readonly { jobId: string; record: JobEnd }[]): Promise<void> {
    const { sink, queue, owner } = this.#parts;
    const lines: string[] = [];
    const failures: RecordFailure[] = [];
    const stored: string[] = [];
    for (const { jobId, record } of ended) {
      const entry = this.#inFlight.get(jobId);
      if (entry === undefined) continue;
      stored.push(jobId);
      if (record.status === "done") lines.push(record.line);
      else failures.push(failureOf(entry, record));
    }
    if (stored.length === 0) return;
    if (lines.length > 0) await sink.write(lines);
    if (failures.length > 0) await sink.fail(failures);
    await sink.flush();
    await queue.release(stored, owner);
    for (const jobId of stored) {
      const entry = this.#inFlight.get(jobId);
      this.#inFlight.delete(jobId);
      if (entry !== undefined) this.#limit.leave(entry.record.bytes);
    }
  }

  async #reconcile(): Promise<void> {
    const { queue, results, owner } = this.#parts;
    // The notice of a younger job may still come.
    const before = performance.now() - RECONCILE_INTERVAL_MS;
    const entries = [...this.#inFlight].filter(
      ([, { enqueuedAtMs = Infinity }]) => enqueuedAtMs <= before,
    );
    for (let at = 0; at < entries.length; at += RECONCILE_CHUNK_JOBS) {
      const some = entries.slice(at, at + RECONCILE_CHUNK_JOBS);
      const fates = await reconcile(
        some.map(([jobId]) => jobId),
        queue,
        results,
      );
      const again: NewJob[] = [];
      const given: { jobId: string; record: JobEnd }[] = [];
      some.forEach(([jobId, entry], i) => {
        const fate = fates[i];
        if (fate?.status === "ended") this.#ended.add(jobId);
        if (fate?.status !== "lost") return;
        entry.requeues += 1;
        if (entry.requeues <= MAX_REQUEUES) again.push(this.#parts.makeJob(entry.record));
        else given.push({ jobId, record: lostRecord() });
      });
      if (again.length > 0) await queue.enqueue(again, owner);
      await this.#store(given);
    }
    await this.#takeEnded();
  }
}

function failureOf(
  { record }: InFlight,
  error: { readonly code: string; readonly message: string },
): RecordFailure {
  const input = toWireRequest(record.request);
  return {
    line: record.line,
    id: record.request.id,
    code: error.code,
    reason: error.message,
    input,
  };
}

/** @returns the record of a job that vanished from the queue again and again */
function lostRecord(): JobEnd {
  const message = `the job vanished from the queue ${MAX_REQUEUES + 1} times without a result`;
  return { status: "failed", code: "job_lost", message };
}

/**
 * Waits for one promise after another, none past the abort of one signal. It listens to the signal
 * once: a listener a record would cost more than most records.
 */
class Waits {
  readonly #signal: AbortSignal;
  #giveUp: () => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#giveUp(), { once: true });
  }

  /** @param ms for no longer than this. @returns undefined if `promise` did not settle in time */
  async for<T>(promise: Promise<T>, ms: number | undefined): Promise<T | undefined> {
    if (this.#signal.aborted) return undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T | undefined>((resolve, reject) => {
        this.#giveUp = () => resolve(undefined);
        if (ms !== undefined) timer = setTimeout(this.#giveUp, ms);
        promise.then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
