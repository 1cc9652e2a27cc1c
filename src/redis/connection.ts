import { Redis, type RedisOptions } from "ioredis";
import { describeError, RankmillError } from "../core/errors.js";
import { waitAtMost } from "../platform/wait-at-most.js";
import { clusterAddress, isClusterUrl } from "./cluster-address.js";
import { openCluster } from "./cluster-connection.js";
import { addressOf, checkTls, redactTarget, type RedisTarget } from "./redis-address.js";
import type { RedisClient } from "./redis-client.js";
import { infoFields } from "./redis-info.js";
import { explainRefusal } from "./redis-refusal.js";

const CONNECT_TIMEOUT_MS = 10_000;
/** Some node is asked for the layout, then all masters whether they are there. */
const CLUSTER_TIMEOUT_MS = 3 * CONNECT_TIMEOUT_MS;
const MAX_RECONNECT_DELAY_MS = 2_000;
/** By then an address names the new primary. */
const FAILOVER_MS = 15_000;

const COMMON: RedisOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  // BullMQ's demand on connections that block; an outage must not fail what can wait.
  maxRetriesPerRequest: null,
};

/** A connection that is about to be made, and its steps. */
interface Opening {
  readonly client: RedisClient;
  /** After this time without an answer the first connection has failed. */
  readonly deadlineMs: number;
  /** @throws what is wrong with the first connection */
  readonly connect: () => Promise<void>;
  /** From now on an outage is a wait. */
  readonly settle: () => void;
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
): Promise<RedisClient> {
  const { client, deadlineMs, connect, settle } = open(target, onError);
  let last: Error | undefined;
  const remember = (error: Error): void => {
    last = error;
  };
  client.on("error", remember);
  try {
    // A server may take the connection and then answer nothing.
    const { status } = await waitAtMost(connect(), deadlineMs);
    if (status === "late") throw new Error(`no answer within ${deadlineMs / 1_000} s`);
  } catch (error) {
    client.disconnect();
    throw unavailable(target, error, last);
  }
  settle();
  client.on("error", onError);
  client.off("error", remember);
  return client;
}

function open(target: RedisTarget, onError: (error: Error) => void): Opening {
  if (!("url" in target) || !isClusterUrl(target.url)) return openServer(target);
  checkTls(target.url, target.tls);
  const { client, connect, settle } = openCluster(clusterAddress(target.url, target.tls), COMMON);
  return {
    client,
    deadlineMs: CLUSTER_TIMEOUT_MS,
    connect,
    settle: () => {
      settle(reconnectDelayMs);
      client.on("node error", onError);
    },
  };
}

function openServer(target: RedisTarget): Opening {
  const options: RedisOptions = {
    ...COMMON,
    lazyConnect: true,
    // During the first connection only: a wrong address must be an error, not a wait.
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  };
  const address = addressOf(target);
  const client =
    address.url === undefined
      ? new Redis({ ...options, ...address.options })
      : new Redis(address.url, { ...options, ...address.options });
  return {
    client,
    deadlineMs: CONNECT_TIMEOUT_MS,
    connect: async () => {
      await client.connect();
      await checkUse(client);
    },
    settle: () => {
      client.options.retryStrategy = reconnectDelayMs;
      client.options.sentinelRetryStrategy = reconnectDelayMs;
      client.options.reconnectOnError = afterFailover();
    },
  };
}

/**
 * The answer to what a primary refuses that has just become a replica: it is sent again to the server that the
 * address, or the sentinels, name next. One that stays a replica is not waited for any longer.
 */
function afterFailover(): (error: Error) => false | 1 | 2 {
  let sinceMs = -Infinity;
  let lastMs = -Infinity;
  return (error) => {
    if (!error.message.startsWith("READONLY")) return false;
    const nowMs = performance.now();
    if (nowMs - lastMs > FAILOVER_MS) sinceMs = nowMs;
    lastMs = nowMs;
    return nowMs - sinceMs < FAILOVER_MS ? 2 : 1;
  };
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
  const info = infoFields(await redis.info());
  if (info.get("redis_mode") === "cluster") await refuseNode(redis);
  if (info.get("role") === "slave") {
    const primary = `${info.get("master_host") ?? "?"}:${info.get("master_port") ?? "?"}`;
    throw new Error(`READONLY replica of ${primary}`);
  }
}

/** A node that holds all slots of its cluster is used like a server alone. */
async function refuseNode(redis: Redis): Promise<void> {
  const answer = await redis.cluster("INFO").catch(() => "");
  const masters = Number(infoFields(answer).get("cluster_size") ?? 1);
  if (masters > 1) throw new Error(`MOVED keys lie on ${masters} masters`);
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
