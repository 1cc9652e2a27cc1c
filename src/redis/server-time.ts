import type { Result } from "ioredis";
import { isCluster, type RedisClient } from "./redis-client.js";

/** KEYS: one that says which master of a cluster is asked. Returns {seconds, microseconds}. */
const TIME = `return redis.call("TIME")`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillTime(key: string): Result<[seconds: string, microseconds: string], Context>;
  }
}

/**
 * Milliseconds since 1970 by the clock of the server that holds `key`: hosts may disagree about the
 * time, and so may the masters of a cluster.
 */
export async function serverTimeMs(redis: RedisClient, key: string): Promise<number> {
  const [seconds, micros] = isCluster(redis) ? await askByKey(redis, key) : await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

async function askByKey(redis: RedisClient, key: string): Promise<[string, string]> {
  redis.defineCommand("rankmillTime", { numberOfKeys: 1, lua: TIME });
  return await redis.rankmillTime(key);
}
