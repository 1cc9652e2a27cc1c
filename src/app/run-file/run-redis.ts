import type { InFlightBounds } from "../../core/in-flight-bounds.js";
import { RankmillError } from "../../core/errors.js";
import type { Closers } from "../../platform/closers.js";
import { REDIS_GUARDIAN_ENTRY } from "../../platform/process-entries.js";
import { AnswerWatch } from "../../redis/answer-watch.js";
import { connectRedis } from "../../redis/connection.js";
import { startPrivateRedis, type PrivateRedis } from "../../redis/private-server/private-redis.js";
import type { RunFileOptions } from "./run-file-options.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The Redis of a run: the operator's, or one of its own. */
export interface RunRedis {
  readonly redis: RedisClient;
  readonly inFlight: InFlightBounds;
  readonly eventsStreamLength: number | undefined;
  /** A description for the manifest. */
  readonly note: string;
}

/**
 * js-redis-server copies a key's whole value at every access: short streams and few jobs in flight make
 * it several times faster.
 */
const JS_EVENTS_STREAM_LENGTH = 20;
const JS_IN_FLIGHT_JOBS = 100;
/** A private server's data goes with it: one that takes its time, or is frozen, is killed. */
const STOP_DEADLINE_MS = 500;

/**
 * @param stopping aborts with the reason if the private server ends before the run does
 * @throws RankmillError if there is no Redis, or it cannot be used
 */
export async function openRunRedis(
  options: RunFileOptions,
  closers: Closers,
  stopping: AbortController,
): Promise<RunRedis> {
  const { inFlight, redis: named, show, logger } = options;
  const onError = (error: Error): void => logger.warn({ err: error }, "redis connection");
  if (named !== undefined) {
    const redis = await connectRedis(named, onError);
    watched(redis, options, closers);
    return { redis, inFlight, eventsStreamLength: undefined, note: "REDIS_URL" };
  }
  const server = await startServer(options, closers);
  show.onEvent({ type: "redis-started", note: server.note });
  void server.exited.then(({ expected, reason }) => {
    if (!expected) stopping.abort(serverEnded(reason));
  });
  const redis = await connectRedis(server.connection, onError);
  watched(redis, options, closers);
  const js = server.implementation === "js-redis-server";
  return {
    redis,
    inFlight: js
      ? { ...inFlight, maxJobs: Math.min(JS_IN_FLIGHT_JOBS, inFlight.maxJobs) }
      : inFlight,
    eventsStreamLength: js ? JS_EVENTS_STREAM_LENGTH : undefined,
    note: `${server.implementation} ${server.version}, private`,
  };
}

function watched(redis: RedisClient, { show }: RunFileOptions, closers: Closers): void {
  closers.use("Redis connection", redis, (one) => one.disconnect());
  const watch = new AnswerWatch({
    redis,
    onSilent: (silentMs) => show.onEvent({ type: "redis-silent", silentMs }),
    onAnswer: (silentMs) => show.onEvent({ type: "redis-answers", silentMs }),
  });
  closers.use("Redis watch", watch, (one) => one.stop());
}

async function startServer({ env, show }: RunFileOptions, closers: Closers): Promise<PrivateRedis> {
  const server = await startPrivateRedis({
    guardianPath: REDIS_GUARDIAN_ENTRY,
    searchPath: env["PATH"] ?? "",
    onWarning: (message) => show.onEvent({ type: "redis-warning", message }),
  });
  return closers.use("private Redis", server, (one) => one.stop(STOP_DEADLINE_MS));
}

function serverEnded(reason: string): RankmillError {
  return new RankmillError(
    "redis_unavailable",
    `the private Redis ended: ${reason}; run again to go on`,
  );
}
