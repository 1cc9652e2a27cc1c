/** What a test reads of a queue in Redis, past everything that it tests. */
import type { Redis } from "ioredis";

/** Ids of the jobs that some worker holds and has begun, and that have no result yet. */
export async function heldJobs(redis: Redis): Promise<string[]> {
  const lists = await redis.keys("rankmill:*:active");
  const held = (await Promise.all(lists.map((key) => redis.lrange(key, 0, -1)))).flat();
  const results = await resultKeys(redis);
  const attempts = await attemptsByJob(redis);
  return held.filter((jobId) => attempts.has(jobId) && !results.has(jobId));
}

/** The key of each result, by job id. */
export async function resultKeys(redis: Redis): Promise<Map<string, string>> {
  const keys = await redis.keys("rankmill:*:result:*");
  return new Map(keys.map((key) => [key.slice(key.lastIndexOf(":") + 1), key]));
}

/** Attempts begun at each job, by job id. */
export async function attemptsByJob(redis: Redis): Promise<Map<string, number>> {
  const keys = await redis.keys("rankmill:*:fence:*");
  const newest = keys.length === 0 ? [] : await redis.mget(keys);
  return new Map(
    keys.map((key, i) => {
      const [, attempts = "NaN"] = newest[i]?.split(" ") ?? [];
      return [key.slice(key.lastIndexOf(":") + 1), Number(attempts)];
    }),
  );
}
