import { setTimeout as sleep } from "node:timers/promises";
import { isCluster, type RedisClient } from "./redis-client.js";
import { asRedisError, isLostConnection, isPassingRefusal } from "./redis-refusal.js";

/** A server that is full for longer is not about to recover: better to end, and be run again. */
const WAIT_AT_MOST_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface WaitOutOptions {
  readonly atMostMs?: number;
  readonly onWait?: ((error: unknown) => void) | undefined;
  /** For work of several commands: what a node of a cluster drops as it goes down is done again. */
  readonly redis?: RedisClient;
}

/**
 * Does `work`, and does it again while Redis refuses for a reason that passes: its memory is full, it
 * is loading, it cannot write to its disk. `work` must be such that doing it twice is doing it once.
 *
 * @throws RankmillError `redis_unavailable` with what to do, if Redis refuses for good or for longer
 */
export async function waitOut<T>(work: () => Promise<T>, options: WaitOutOptions = {}): Promise<T> {
  const { atMostMs = WAIT_AT_MOST_MS, onWait, redis } = options;
  const deadline = performance.now() + atMostMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const passes = isPassingRefusal(error) || isLostNode(error, redis);
      if (!passes || performance.now() + pauseMs > deadline) {
        throw asRedisError(error);
      }
      if (pauseMs === FIRST_PAUSE_MS) onWait?.(error);
    }
    // Once all connections are closed, nothing is waited for.
    await sleep(pauseMs, undefined, { ref: false });
  }
}

/**
 * Whether the connection to one node of a cluster ended. A server's connection resends what it had not
 * answered; a cluster's does so with single commands, and with pipelines of which nothing was done.
 */
function isLostNode(error: unknown, redis: RedisClient | undefined): boolean {
  if (redis === undefined || !isCluster(redis)) return false;
  return isLostConnection(error) && !["end", "disconnecting"].includes(redis.status);
}
