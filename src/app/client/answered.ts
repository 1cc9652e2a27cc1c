import { RankmillError } from "../../core/errors.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import type { RedisClient } from "../../redis/redis-client.js";
import { orAborted } from "./call-options.js";

/** A Redis that is there answers a ping within this time. */
const PING_MS = 1_000;

/**
 * Waits for an answer of Redis.
 *
 * @throws RankmillError if it takes longer: `redis_unavailable` if Redis does not answer at all, else
 *   `timeout`; the signal's reason
 */
export async function answered<T>(
  redis: RedisClient,
  promise: Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const waited = await waitAtMost(orAborted(promise, signal), timeoutMs);
  if (waited.status === "settled") return waited.value;
  const ms = Math.round(timeoutMs);
  const pinged = await waitAtMost(redis.ping(), PING_MS).catch(() => undefined);
  throw pinged?.status === "settled"
    ? new RankmillError("timeout", `the job was not yet in Redis after ${ms} ms`)
    : new RankmillError("redis_unavailable", `Redis has not answered for ${ms} ms`);
}
