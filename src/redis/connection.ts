import { Redis, type RedisOptions } from "ioredis";
import { describeError, RankmillError } from "../core/errors.js";

/** Where Redis is: a `redis://`, `rediss://` or `unix://` URL, or a private server's address. */
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
 * @throws RankmillError `redis_unavailable`, naming the target and what is wrong, where the first
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
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw unavailable(target, last ?? error);
  }
  redis.options.retryStrategy = (times) => Math.min(50 * 2 ** times, MAX_RECONNECT_DELAY_MS);
  // A server that restarts with its data answers LOADING for a while.
  redis.options.reconnectOnError = (error) => error.message.startsWith("READONLY");
  redis.on("error", onError);
  redis.off("error", remember);
  return redis;
}

function checkUrl(url: string): string {
  let protocol: string;
  try {
    ({ protocol } = new URL(url));
  } catch {
    throw new RankmillError(
      "invalid_option",
      "REDIS_URL is not a URL; expected redis://[user:password@]host:port[/db]",
      { field: "redisUrl" },
    );
  }
  if (protocol === "unix:") return url.slice("unix://".length);
  if (protocol === "redis:" || protocol === "rediss:") return url;
  throw new RankmillError(
    "invalid_option",
    `REDIS_URL starts with ${protocol}//; expected redis://, rediss:// or unix://`,
    { field: "redisUrl" },
  );
}

function unavailable(target: RedisTarget, error: unknown): RankmillError {
  const { message } = describeError(error);
  const where = redactTarget(target);
  const hint = /WRONGPASS|NOAUTH|invalid password/i.test(message)
    ? "the password is missing or wrong"
    : message || "no answer";
  return new RankmillError("redis_unavailable", `cannot use Redis at ${where}: ${hint}`, {
    cause: error,
  });
}
