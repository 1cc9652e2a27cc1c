import { UnrecoverableError, WaitingError, Worker, type Job } from "./bullmq.js";
import { isRetryable, RankmillError } from "../core/errors.js";
import type { JobEnvelope, JobSummary, TakenJob } from "../core/job.js";
import { HeldAttempts, LOCK_LOST } from "./held-attempts.js";
import { KEY_PREFIX, queueName } from "./keys.js";
import type { Priority } from "../core/priority.js";
import { MAX_ATTEMPTS, retryDelayMs } from "./retry.js";
import { telemetryOption, traceRequestId } from "./telemetry.js";
import { LateTurns } from "../platform/late-turns.js";
import { waitAtMost } from "../platform/wait-at-most.js";
import type { RedisClient } from "./redis-client.js";
import { pingAll } from "./redis-servers.js";

export interface ConsumerOptions {
  readonly tag: string;
  readonly priority: Priority;
  /** Jobs held at once. */
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly onEvent: (event: ConsumerEvent) => void;
}

/** A job, and the request of a gateway that it was made for. */
interface JobNames {
  readonly jobId: string;
  readonly requestId?: string;
}

export type ConsumerEvent =
  /** A job is in hand for the first time, after so long in the queue by the clocks of producer and worker. */
  | ({ readonly type: "taken"; readonly waitedMs: number } & JobNames)
  | ({ readonly type: "done"; readonly summary: JobSummary } & JobNames)
  | ({
      readonly type: "failed";
      readonly error: Error;
      readonly final: boolean;
    } & JobNames)
  | { readonly type: "stalled"; readonly jobId: string }
  | { readonly type: "lock-lost"; readonly jobId: string }
  /** Nobody waited for it any more. */
  | { readonly type: "dropped"; readonly jobId: string }
  | { readonly type: "revived" }
  | { readonly type: "error"; readonly error: Error };

/** Half a minute after a worker's death others have its jobs. */
export const DEFAULT_LOCK_DURATION_MS = 15_000;
export const DEFAULT_STALLED_INTERVAL_MS = 5_000;

/**
 * Jobs that outlive their worker are handed on as often as it takes: BullMQ would fail a job that
 * stalls twice without ever calling us, and no record of ours would be written. A text that kills
 * workers is found by counting attempts and pairs in the result store.
 */
const MAX_STALLED_COUNT = 1_000_000;
/** BullMQ's default of 15 s is a long silence after a moment's outage. */
const RUN_RETRY_DELAY_MS = 1_000;
/** Errors within `ERRORS_WITHIN_MS` that make a consumer rest for `REST_MS`. */
const MOST_ERRORS = 20;
const ERRORS_WITHIN_MS = 1_000;
const REST_MS = 2_000;
/** Jobs wait, none is held and none came for this long: the BullMQ worker is dead in silence. */
const SILENT_MS = 30_000;
const WATCH_INTERVAL_MS = 10_000;

/** The reason of an attempt that is aborted at shutdown: its job belongs back in the queue. */
const HAND_BACK = new Error("shutting down");
/** The reason of an attempt that is aborted because nobody wants it any more. */
const NOBODY_WAITS = new Error("nobody waits for the job any more");
/** The time for handing jobs back once the deadline is over, and again each time that Redis answers meanwhile. */
const HAND_BACK_MS = 700;
/** The longest time for it: a busy machine takes longer than an idle one, and a job that is kept makes others wait. */
const MOST_HAND_BACK_MS = 4_000;
/** The time after which a connection that does not answer is given up. */
const DISCONNECT_MS = 100;

/** BullMQ's words for a lock that it could not renew; it tells so by an event of its own too. */
const LOST_LOCK = /^could not renew lock for job /;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export type Process = (job: TakenJob, signal: AbortSignal) => Promise<JobSummary>;

/**
 * One queue's BullMQ Worker, kept alive.
 *
 * *connecting*: takes nothing yet. *running*: takes jobs. *draining*: takes none, waits for those
 * held. *closed*. While it runs, a watch replaces the BullMQ worker if it went silent after an outage
 * of Redis.
 */
export class Consumer {
  readonly #redis: RedisClient;
  readonly #options: ConsumerOptions;
  readonly #process: Process;
  #worker: Worker<JobEnvelope, JobSummary>;
  readonly #held: HeldAttempts;
  /** When the last errors came. */
  readonly #errorTimesMs: number[] = [];
  #lastActivityMs = performance.now();
  #watch: NodeJS.Timeout | undefined;
  #turns = new LateTurns(WATCH_INTERVAL_MS);
  #draining = false;
  #closing: Promise<void> | undefined;

  constructor(redis: RedisClient, options: ConsumerOptions, process: Process) {
    this.#redis = redis;
    this.#options = options;
    this.#process = process;
    const { lockDurationMs, onEvent } = options;
    const onLockLost = (jobId: string): void => onEvent({ type: "lock-lost", jobId });
    this.#held = new HeldAttempts({ lockDurationMs, onLockLost });
    this.#worker = this.#open();
  }

  /** Ids of the jobs in hand. */
  get held(): readonly string[] {
    return this.#held.jobIds;
  }

  /** Resolves once the worker is connected. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Takes jobs from now on. */
  start(): void {
    if (this.#draining || this.#watch !== undefined) return;
    this.#run(this.#worker);
    this.#lastActivityMs = performance.now();
    this.#turns = new LateTurns(WATCH_INTERVAL_MS);
    this.#watch = setInterval(() => void this.#revive(), WATCH_INTERVAL_MS);
  }

  /** Aborts the attempt at a job, if it is in hand, and the job leaves the queue for good: nobody waits for it any more. */
  drop(jobId: string): void {
    this.#held.abort(jobId, NOBODY_WAITS);
  }

  /**
   * Takes no more jobs and waits for those in hand until `deadlineMs` from now; what is left then
   * is aborted and goes back to the queue, without having cost an attempt. Later calls wait for the
   * first one.
   */
  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#drain(deadlineMs);
    return this.#closing;
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#watch);
    const draining = this.#worker.close();
    if (await settledWithin(draining, deadlineMs)) return;
    this.#held.abortAll(HAND_BACK);
    const startedMs = performance.now();
    do {
      if (await settledWithin(draining, HAND_BACK_MS)) return;
    } while (performance.now() - startedMs < MOST_HAND_BACK_MS && (await this.#redisAnswers()));
    // Its own connection must not keep the process alive.
    await settledWithin(this.#worker.backend.disconnectBlocking(false), DISCONNECT_MS);
  }

  async #redisAnswers(): Promise<boolean> {
    const answer = pingAll(this.#redis).then(
      () => true,
      () => false,
    );
    const waited = await waitAtMost(answer, HAND_BACK_MS);
    return waited.status === "settled" && waited.value;
  }

  #open(): Worker<JobEnvelope, JobSummary> {
    const { tag, priority, concurrency, lockDurationMs, stalledIntervalMs, onEvent } =
      this.#options;
    const worker = new Worker<JobEnvelope, JobSummary>(
      queueName(tag, priority),
      // Two parameters: for a third BullMQ would make a signal for every job, which only its own
      // `cancelJob` aborts. An event tells of a lost lock.
      (job, token) => this.#handle(job, token),
      {
        ...telemetryOption(),
        connection: this.#redis,
        prefix: KEY_PREFIX,
        autorun: false,
        concurrency,
        lockDuration: lockDurationMs,
        stalledInterval: stalledIntervalMs,
        maxStalledCount: MAX_STALLED_COUNT,
        runRetryDelay: RUN_RETRY_DELAY_MS,
        settings: { backoffStrategy: (attemptsMade) => retryDelayMs(attemptsMade, Math.random()) },
      },
    );
    worker.on("lockRenewalFailed", (jobIds) => {
      for (const jobId of jobIds) this.#held.lockLost(jobId);
    });
    worker.on("stalled", (jobId) => onEvent({ type: "stalled", jobId }));
    worker.on("error", (error) => {
      // Told as a lost lock already, once per job, and no reason to rest.
      if (LOST_LOCK.test(error.message)) return;
      onEvent({ type: "error", error });
      this.#rest(worker);
    });
    return worker;
  }

  /**
   * Lets the worker rest after errors in quick succession: BullMQ asks again at once whatever Redis
   * refuses, thousands of times per second.
   */
  #rest(worker: Worker<JobEnvelope, JobSummary>): void {
    const nowMs = performance.now();
    this.#errorTimesMs.push(nowMs);
    const oldestMs = this.#errorTimesMs[this.#errorTimesMs.length - MOST_ERRORS] ?? -Infinity;
    if (this.#errorTimesMs.length > MOST_ERRORS) this.#errorTimesMs.shift();
    if (nowMs - oldestMs > ERRORS_WITHIN_MS || worker.isPaused()) return;
    // Rejects only if its connection is gone, which is then what ends the rest.
    worker.pause(true).catch(() => {});
    setTimeout(() => {
      if (!this.#draining && worker === this.#worker) void worker.resume();
    }, REST_MS).unref();
  }

  #run(worker: Worker<JobEnvelope, JobSummary>): void {
    worker.run().catch((error: unknown) => {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#options.onEvent({ type: "error", error: failure });
    });
  }

  async #handle(job: Job<JobEnvelope, JobSummary>, token?: string): Promise<JobSummary> {
    const jobId = job.id ?? "";
    const names = { jobId, ...requestOf(job.data) };
    if (names.requestId !== undefined) traceRequestId(names.requestId);
    const { priority, onEvent } = this.#options;
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? MAX_ATTEMPTS);
    const { signal, end } = this.#held.begin(jobId, this.#renewalOf(job, token));
    this.#lastActivityMs = performance.now();
    if (job.attemptsStarted <= 1) {
      onEvent({ type: "taken", ...names, waitedMs: Math.max(0, Date.now() - job.timestamp) });
    }
    try {
      const summary = await this.#process(
        { jobId, envelope: job.data, priority, lastAttempt },
        signal,
      );
      onEvent({ type: "done", ...names, summary });
      return summary;
    } catch (error) {
      if (signal.reason === HAND_BACK) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (signal.reason === LOCK_LOST) {
        // No failure of the job. Redis refuses if the job is in other hands, and they bring it to its end.
        await job.moveToWait(token).catch(() => {});
        throw new WaitingError();
      }
      const unwanted = error instanceof RankmillError && error.code === "unwanted";
      if (unwanted || signal.reason === NOBODY_WAITS) {
        onEvent({ type: "dropped", jobId });
        // For BullMQ it is complete: so its keys go in the same moment in which it leaves the queue.
        return { pairs: 0, tokens: 0, truncated: 0, failedPairs: 0 };
      }
      const failure = error instanceof Error ? error : new Error(String(error));
      const final = lastAttempt || !isRetryable(failure);
      onEvent({ type: "failed", ...names, error: failure, final });
      if (isRetryable(failure)) throw failure;
      throw new UnrecoverableError(failure.message);
    } finally {
      end();
      this.#lastActivityMs = performance.now();
    }
  }

  /** The renewal of the lock of a job that was in hand before, here or elsewhere. */
  #renewalOf(job: Job<JobEnvelope, JobSummary>, token = ""): (() => Promise<boolean>) | undefined {
    if (job.attemptsStarted <= 1) return undefined;
    return async () => (await job.extendLock(token, this.#options.lockDurationMs)) === 1;
  }

  async #revive(): Promise<void> {
    // A machine that stood still has fetched nothing either: its BullMQ worker has its time again.
    if (this.#turns.cameLate()) this.#lastActivityMs = performance.now();
    if (this.#draining || this.#held.size > 0) return;
    if (performance.now() - this.#lastActivityMs < SILENT_MS) return;
    const waiting = await this.#redis
      .llen(`${KEY_PREFIX}:${queueName(this.#options.tag, this.#options.priority)}:wait`)
      .catch(() => 0);
    if (waiting === 0 || this.#held.size > 0) return;
    this.#lastActivityMs = performance.now();
    const dead = this.#worker;
    this.#worker = this.#open();
    this.#run(this.#worker);
    this.#options.onEvent({ type: "revived" });
    await settledWithin(dead.close(true), WATCH_INTERVAL_MS);
  }
}

/** Somebody else may have written the job: only a name that can stand in a log is taken. */
function requestOf(data: unknown): { readonly requestId?: string } {
  const named = typeof data === "object" && data !== null && "requestId" in data;
  const requestId = named ? data.requestId : undefined;
  return typeof requestId === "string" && REQUEST_ID.test(requestId) ? { requestId } : {};
}

/** @returns whether `promise` settled within `ms`, in whatever way; never throws */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = promise.catch(() => undefined);
  return (await waitAtMost(settled, ms)).status === "settled";
}
