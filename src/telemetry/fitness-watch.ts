import { setTimeout as sleep } from "node:timers/promises";
import type { Health } from "../core/lane-health.js";
import { unfitReason } from "./fitness.js";
import { SingleFlightPoll } from "../platform/single-flight-poll.js";

/** The result of one check. Times are milliseconds since 1970. */
export interface FitnessReport {
  readonly at: number;
  /** Null for a process that has none. */
  readonly lanes: number | null;
  readonly held: number;
  readonly waiting: number;
  readonly progressAt: number;
  /** The reason why the process is of no use now; null if it is. */
  readonly reason: string | null;
  /** The reason why it does less than it should; null if it does not. */
  readonly degraded: string | null;
}

export interface FitnessSources {
  /** Lanes at work; absent in a process that has none. */
  readonly lanes?: () => number;
  /** Whether lanes stay at work or die again and again. */
  readonly partHealth?: () => Health;
  /** Jobs in hand. */
  readonly held: () => number;
  /** Asks Redis how many jobs wait; hangs or rejects while it is gone. */
  readonly countWaiting: () => Promise<number>;
  /** Default: the system's clock, milliseconds since 1970. */
  readonly now?: () => number;
}

export const REPORT_INTERVAL_MS = 5_000;
/** The time for which a report waits for Redis before it tells what it knows. */
const ANSWER_MS = 2_000;

/**
 * The one judge of whether a process is of use: behind the health file, `/readyz` and the metric.
 *
 * It reports every five seconds even if nobody asks: progress is told from the last report that
 * found nothing to do.
 *
 * *new* → `start` → *watching* → `stop` → *stopped*.
 */
export class FitnessWatch {
  readonly #sources: FitnessSources;
  readonly #now: () => number;
  readonly #waiting: SingleFlightPoll<number>;
  readonly #stopping = new AbortController();
  #telling: Promise<void> = Promise.resolve();
  #answeredAtMs: number;
  /** Jobs that waited at the last answer. */
  #lastWaiting = 0;
  #progressAtMs: number;

  constructor(sources: FitnessSources) {
    this.#sources = sources;
    this.#now = sources.now ?? Date.now;
    this.#waiting = new SingleFlightPoll(sources.countWaiting, ANSWER_MS);
    this.#answeredAtMs = this.#now();
    this.#progressAtMs = this.#now();
  }

  /** A batch or a job has ended. */
  progressed(): void {
    this.#progressAtMs = this.#now();
  }

  async report(): Promise<FitnessReport> {
    const { lanes, held } = this.#sources;
    const partHealth = this.#sources.partHealth?.() ?? { status: "ok" };
    const waiting = await this.#waiting.answer();
    if (waiting !== undefined) {
      this.#lastWaiting = waiting;
      this.#answeredAtMs = this.#now();
    }
    // No progress can be expected if there is nothing to do, or nobody to get it from.
    if (waiting === undefined || held() + waiting === 0) this.progressed();
    const vitals = {
      nowMs: this.#now(),
      redisAnsweredAtMs: this.#answeredAtMs,
      lanes: lanes?.(),
      partHealth,
      held: held(),
      waiting: this.#lastWaiting,
      progressAtMs: this.#progressAtMs,
    };
    return {
      at: vitals.nowMs,
      lanes: vitals.lanes ?? null,
      held: vitals.held,
      waiting: vitals.waiting,
      progressAt: vitals.progressAtMs,
      reason: unfitReason(vitals) ?? null,
      degraded: partHealth.status === "degraded" ? partHealth.reason : null,
    };
  }

  /**
   * Reports at once, and then by the clock.
   *
   * @param tell called with each report
   * @param onError hears of a `tell` that rejected
   * @throws what `tell` rejects with at the first report
   */
  async start(
    tell: (report: FitnessReport) => Promise<void>,
    onError: (error: unknown) => void,
  ): Promise<void> {
    await tell(await this.report());
    void this.#watch(tell, onError, this.#stopping.signal);
  }

  /** Waits for a report that is being told, and not for a Redis that does not answer. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#telling;
  }

  async #watch(
    tell: (report: FitnessReport) => Promise<void>,
    onError: (error: unknown) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await sleep(REPORT_INTERVAL_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const report = await this.report();
      if (signal.aborted) return;
      this.#telling = tell(report).catch(onError);
      await this.#telling;
    }
  }
}
