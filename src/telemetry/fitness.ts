import type { Health } from "../core/lane-health.js";

/** The signs by which a worker's fitness is judged, at one moment. Times are milliseconds of one clock. */
export interface Vitals {
  readonly nowMs: number;
  /** When Redis last answered. */
  readonly redisAnsweredAtMs: number;
  /** Lanes at work; undefined in a process that has none. */
  readonly lanes?: number | undefined;
  /** Whether lanes stay at work or die again and again. */
  readonly partHealth: Health;
  /** Jobs in hand. */
  readonly held: number;
  /** Jobs in the queues that nobody has in hand, as of the last answer. */
  readonly waiting: number;
  /** When a batch or a job last ended, or when there was last nothing to do. */
  readonly progressAtMs: number;
}

/** Two beats without an answer: a restart of Redis that is over sooner is nobody's business. */
export const REDIS_SILENT_MS = 10_000;
/**
 * Longer than the slowest single batch: a pair of 8,192 tokens on a large fp32 model takes about a
 * minute of one core.
 */
export const STUCK_MS = 180_000;

/**
 * Life is not enough: a worker whose lanes hang or whose queue connection went silent answers every
 * ping.
 *
 * @returns why the worker is of no use now; undefined if it is
 */
export function unfitReason(vitals: Vitals): string | undefined {
  const { nowMs, lanes, partHealth, held, waiting } = vitals;
  if (partHealth.status === "failed") return partHealth.reason;
  const silentMs = nowMs - vitals.redisAnsweredAtMs;
  if (silentMs > REDIS_SILENT_MS) return `Redis has not answered for ${seconds(silentMs)}`;
  if (lanes === 0) return "no lane is at work";
  const stuckMs = nowMs - vitals.progressAtMs;
  if (held + waiting > 0 && stuckMs > STUCK_MS) {
    return `no progress for ${seconds(stuckMs)}, with ${held} jobs in hand and ${waiting} waiting`;
  }
  return undefined;
}

export function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
