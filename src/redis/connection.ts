import { Redis, type RedisOptions } from "ioredis";
import { describeError, RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";
import { unlessLate } from "../platform/unless-aborted.js";
import { explainRefusal } from "./redis-refusal.js";

/** The address of Redis: a `redis://`, `rediss://` or `unix://` URL, or a private server's address. */
export type RedisTarget =
  | { readonly url: string }
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

/** The target as it may be shown and logged: without its password. */
export function redactTarget(target: RedisTarget): string {
  if ("path" in target) return `unix:${target.path}`;
  if ("host" in target) return `redis://${target.host}:${target.port}`;
  try {
    const url = new URL(target.url);
    if (url.password !== "") url.password = "***";
    if (url.searchParams.has("password")) url.searchParams.set("password", "***");
    return url.href;
  } catch {
    return "the given Redis URL";
  }
}

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
  };
  const redis =
    "url" in target
      ? new Redis(checkUrl(target.url), options)
      : new Redis({ ...options, ...target });
  let last: Error | undefined;
  const remember = (error: Error): void => {
    last = error;
  };
  redis.on("error", remember);
  try {
    // A server may take the connection and then answer nothing.
    await unlessLate(
      redis.connect().then(() => checkUse(redis)),
      CONNECT_TIMEOUT_MS,
      () => new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1_000} s`),
    );
  } catch (error) {
    redis.disconnect();
    throw unavailable(target, error, last);
  }
  redis.options.retryStrategy = (times) => Math.min(50 * 2 ** times, MAX_RECONNECT_DELAY_MS);
  // A server that restarts with its data answers LOADING for a while.
  redis.options.reconnectOnError = (error) => error.message.startsWith("READONLY");
  redis.on("error", onError);
  redis.off("error", remember);
  return redis;
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

const EXPECTED = "redis://[user:password@]host:port[/db], rediss://… or unix:///path";

function refused(why: string): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("redisUrl")} (or REDIS_URL) ${why}; expected ${EXPECTED}`,
    { field: "redisUrl" },
  );
}

/** Never shows the URL itself, which may hold a password. */
function checkUrl(url: string): string {
  if (!/^(rediss?|unix):\/\//.test(url)) {
    throw refused("does not start with redis://, rediss:// or unix://");
  }
  if (!URL.canParse(url)) {
    throw refused('is not a URL: in a password, "/", "@", "#" and "%" must be percent-encoded');
  }
  const { protocol, pathname } = new URL(url);
  if (protocol === "unix:") return url.slice("unix://".length);
  if (!/^\/?\d*$/.test(pathname)) throw refused("names a database that is not a number");
  return url;
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
