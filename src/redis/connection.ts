import { Redis, type RedisOptions } from "ioredis";
import { describeError, RankmillError } from "../core/errors.js";
import { waitAtMost } from "../platform/wait-at-most.js";
import { addressOf, redactTarget, type RedisTarget } from "./redis-address.js";
import { explainRefusal } from "./redis-refusal.js";

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * Opens a connection and waits until it works. Afterwards it reconnects for as long as it takes:
 * commands sent during an outage wait for its end.
 *
 * @throws RankmillError `redis_unavailable`, naming the target and what is wrong, if the first
 *   connection fails
 */
export async function connectRedis(
  target: RedisTarget,
  onError: (error: Error) => void,
): Promise<Redis> {
  const options: RedisOptions = {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // BullMQ's demand on connections that block; an outage must not fail what can wait.
    maxRetriesPerRequest: null,
    // During the first connection only: a wrong address must be an error, not a wait.
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  };
  const address = addressOf(target);
  const redis =
    address.url === undefined
      ? new Redis({ ...options, ...address.options })
      : new Redis(address.url, { ...options, ...address.options });
  let last: Error | undefined;
  const remember = (error: Error): void => {
    last = error;
  };
  redis.on("error", remember);
  try {
    // A server may take the connection and then answer nothing.
    const connecting = redis.connect().then(() => checkUse(redis));
    const { status } = await waitAtMost(connecting, CONNECT_TIMEOUT_MS);
    if (status === "late") throw new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1_000} s`);
  } catch (error) {
    redis.disconnect();
    throw unavailable(target, error, last);
  }
  redis.options.retryStrategy = reconnectDelayMs;
  redis.options.sentinelRetryStrategy = reconnectDelayMs;
  // What a primary refuses that has just become a replica is sent again to the new one.
  const again = redis.options.sentinels === undefined ? 1 : 2;
  redis.options.reconnectOnError = (error) => error.message.startsWith("READONLY") && again;
  redis.on("error", onError);
  redis.off("error", remember);
  return redis;
}

function reconnectDelayMs(times: number): number {
  return Math.min(50 * 2 ** times, MAX_RECONNECT_DELAY_MS);
}

/** Makes sure that what everything needs works on a connection, each where an error can be told. */
async function checkUse(redis: Redis): Promise<void> {
  await redis.ping();
  // ioredis goes on with database 0 if the server does not have the one asked for.
  const { db = 0 } = redis.options;
  if (db !== 0) await redis.select(db);
  // BullMQ asks on every connection, and would ask without end.
  await redis.info("server");
}

function unavailable(target: RedisTarget, error: unknown, last: Error | undefined): RankmillError {
  // The connection's own error tells more than the command that failed for it.
  const why =
    explainRefusal(error) ??
    explainRefusal(last) ??
    (describeError(last ?? error).message || "no answer");
  const place = redactTarget(target);
  return new RankmillError("redis_unavailable", `cannot use Redis at ${place}: ${why}`, {
    place,
    cause: error,
  });
}
