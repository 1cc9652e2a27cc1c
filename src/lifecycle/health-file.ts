import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, RankmillError } from "../core/errors.js";
import type { Health as PartHealth } from "../core/health.js";
import { seconds, unfitReason } from "./fitness.js";

/** The file's content, as JSON. Times are milliseconds since 1970. */
export interface HealthReport {
  readonly at: number;
  readonly lanes: number;
  readonly held: number;
  readonly waiting: number;
  readonly progressAt: number;
  /** Why the worker is of no use now; null where it is. */
  readonly reason: string | null;
  /** Why it does less than it should; null where it does not. */
  readonly degraded: string | null;
}

export interface HealthFileOptions {
  readonly path: string;
  /** Lanes at work. */
  readonly lanes: () => number;
  /** Whether lanes stay at work or die again and again. */
  readonly laneHealth: () => PartHealth;
  /** Jobs in hand. */
  readonly held: () => number;
  /** Asks Redis how many jobs wait; hangs or rejects while it is gone. */
  readonly countWaiting: () => Promise<number>;
  /** A beat that could not be written. */
  readonly onError: (error: unknown) => void;
  /** Default: the system's clock, milliseconds since 1970. */
  readonly now?: () => number;
}

export const BEAT_INTERVAL_MS = 5_000;
/** Three beats missed: the event loop stands still, or the process is gone. */
export const MAX_AGE_MS = 3 * BEAT_INTERVAL_MS + 1_000;
/** How long a beat waits for Redis before it says what it knows. */
const ANSWER_MS = 2_000;

/**
 * A worker's word on its own fitness, for a health check that is another process: written at start
 * and every five seconds from the worker's event loop, so that its age tells of a loop that stands
 * still, and its content of all else.
 *
 * *new* → `start` → *beating* → `stop` → *stopped*, the file is gone.
 */
export class HealthFile {
  readonly #options: HealthFileOptions;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  #beating: Promise<void> | undefined;
  /** The question that Redis has not answered yet: one at a time, however long it is gone. */
  #asking: Promise<boolean> | undefined;
  #answeredAtMs: number;
  #waiting = 0;
  #progressAtMs: number;

  constructor(options: HealthFileOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#answeredAtMs = this.#now();
    this.#progressAtMs = this.#now();
  }

  /** A batch or a job has ended. */
  progressed(): void {
    this.#progressAtMs = this.#now();
  }

  /** @throws RankmillError `usage` where the file cannot be written */
  async start(): Promise<void> {
    try {
      await this.beat();
    } catch (error) {
      const { message } = describeError(error);
      throw new RankmillError("usage", `--health-file: ${message}`, { cause: error });
    }
    this.#beating = this.#loop(this.#stopping.signal);
  }

  /** One beat: asks, judges, writes. `start` calls it by the clock. */
  async beat(): Promise<HealthReport> {
    const { lanes, held, path } = this.#options;
    const laneHealth = this.#options.laneHealth();
    const answered = await this.#ask();
    // Where there is nothing to do, or nobody to get it from, none can be expected.
    if (!answered || held() + this.#waiting === 0) this.progressed();
    const nowMs = this.#now();
    const vitals = {
      nowMs,
      redisAnsweredAtMs: this.#answeredAtMs,
      lanes: lanes(),
      laneHealth,
      held: held(),
      waiting: this.#waiting,
      progressAtMs: this.#progressAtMs,
    };
    const report: HealthReport = {
      at: nowMs,
      lanes: vitals.lanes,
      held: vitals.held,
      waiting: vitals.waiting,
      progressAt: vitals.progressAtMs,
      reason: unfitReason(vitals) ?? null,
      degraded: laneHealth.status === "degraded" ? laneHealth.reason : null,
    };
    // A reader sees the last beat or this one, never half of one.
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, `${JSON.stringify(report)}\n`);
    await rename(temporary, path);
    return report;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#beating;
    await rm(this.#options.path, { force: true });
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(BEAT_INTERVAL_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.beat().catch(this.#options.onError);
    }
  }

  /** @returns whether Redis answered in time */
  async #ask(): Promise<boolean> {
    this.#asking ??= this.#options
      .countWaiting()
      .then(
        (waiting) => {
          this.#waiting = waiting;
          this.#answeredAtMs = this.#now();
          return true;
        },
        () => false,
      )
      .finally(() => {
        this.#asking = undefined;
      });
    const answered = new AbortController();
    const { signal } = answered;
    const late = sleep(ANSWER_MS, false, { signal }).catch(() => false);
    try {
      return await Promise.race([this.#asking, late]);
    } finally {
      answered.abort();
    }
  }
}

export type Health =
  | { readonly fit: true; readonly report: HealthReport }
  | { readonly fit: false; readonly reason: string };

/** What a worker last wrote to `path`, judged at `nowMs`, milliseconds since 1970. Never throws. */
export async function readHealth(path: string, nowMs: number): Promise<Health> {
  let report: HealthReport;
  try {
    report = JSON.parse(await readFile(path, "utf8")) as HealthReport;
    if (!Number.isFinite(report.at)) throw new Error("it holds no report");
  } catch (error) {
    return {
      fit: false,
      reason: `no worker says that it is ready: ${describeError(error).message}`,
    };
  }
  const ageMs = nowMs - report.at;
  if (ageMs > MAX_AGE_MS) {
    return { fit: false, reason: `the worker last gave a sign of life ${seconds(ageMs)} ago` };
  }
  return report.reason === null ? { fit: true, report } : { fit: false, reason: report.reason };
}

/** One line for people. */
export function describeHealth(health: Health, nowMs: number): string {
  if (!health.fit) return `unfit: ${health.reason}`;
  const { lanes, held, waiting, progressAt, degraded } = health.report;
  const fit = `fit: ${lanes} lanes, ${held} jobs in hand, ${waiting} waiting, last progress ${seconds(nowMs - progressAt)} ago`;
  return degraded === null ? fit : `${fit}; degraded: ${degraded}`;
}
