/** The view of a queue in Redis that a test has, past everything that it tests. */
import type { Redis } from "ioredis";
import { fenceCounterKey, jobKeys, KEY_PREFIX, queueName } from "../../src/redis/keys.js";

/** A pattern for whatever model, and for whatever job. */
const ANY = "*";

/** Ids of the jobs that some worker holds and has begun, and that have no result yet. */
export async function heldJobs(redis: Redis): Promise<string[]> {
  const lists = await redis.keys(bulkListKey("active"));
  const held = (await Promise.all(lists.map((key) => redis.lrange(key, 0, -1)))).flat();
  const results = await resultKeys(redis);
  const attempts = await attemptsByJob(redis);
  return held.filter((jobId) => attempts.has(jobId) && !results.has(jobId));
}

/** Jobs of bulk runs that wait in a queue or are in a worker's hands. */
export async function jobsInQueue(redis: Redis): Promise<number> {
  const lists = await Promise.all([
    redis.keys(bulkListKey("wait")),
    redis.keys(bulkListKey("active")),
  ]);
  // In one step: a job that is taken meanwhile would be counted in both lists.
  const asked = redis.multi();
  for (const key of lists.flat()) asked.llen(key);
  const answers = (await asked.exec()) ?? [];
  return answers.reduce((sum, [, length]) => sum + Number(length), 0);
}

/** The key of each result, by job id. */
export async function resultKeys(redis: Redis): Promise<Map<string, string>> {
  return byJob(await redis.keys(jobKeys.result(ANY, ANY)));
}

/** The key of each payload that lies apart from its job, by job id. */
export async function payloadKeys(redis: Redis): Promise<Map<string, string>> {
  return byJob(await redis.keys(jobKeys.payload(ANY, ANY)));
}

/** The key of the list of those who wait for a job, by job id. */
export async function ownerKeys(redis: Redis): Promise<Map<string, string>> {
  return byJob(await redis.keys(jobKeys.owners(ANY, ANY)));
}

/** Attempts begun at each job, by job id. */
export async function attemptsByJob(redis: Redis): Promise<Map<string, number>> {
  const keys = await redis.keys(jobKeys.fence(ANY, ANY));
  const newest = keys.length === 0 ? [] : await redis.mget(keys);
  return new Map(
    keys.map((key, i) => {
      const [, attempts = "NaN"] = newest[i]?.split(" ") ?? [];
      return [jobOf(key), Number(attempts)];
    }),
  );
}

/** Attempts begun by anyone at whatever job: each draws one fence. */
export async function attemptsBegun(redis: Redis): Promise<number> {
  const counters = await redis.keys(fenceCounterKey(ANY));
  const values = await Promise.all(counters.map((key) => redis.get(key)));
  return values.reduce((sum, value) => sum + Number(value), 0);
}

/** The tag of the one model that workers have served. */
export async function servedTag(redis: Redis): Promise<string> {
  const [counter] = await redis.keys(fenceCounterKey(ANY));
  const tag = /\{(.+)\}/.exec(counter ?? "")?.[1];
  if (tag === undefined) throw new Error("no job was ever begun in this Redis");
  return tag;
}

/** Jobs that are charged with something, by job id: how often, by pair or part. */
export async function accusedJobs(
  redis: Redis,
): Promise<Map<string, Readonly<Record<string, string>>>> {
  const keys = byJob(await redis.keys(jobKeys.accused(ANY, ANY)));
  const counts = await Promise.all(
    [...keys].map(async ([jobId, key]) => [jobId, await redis.hgetall(key)] as const),
  );
  return new Map(counts.filter(([, count]) => Object.keys(count).length > 0));
}

/**
 * Lets the locks of all jobs of bulk runs run out at once, as if their workers had been gone for long: the
 * next worker that starts takes them over.
 */
export async function expireLocks(redis: Redis): Promise<void> {
  for (const list of await redis.keys(bulkListKey("active"))) {
    const prefix = list.slice(0, -"active".length);
    for (const jobId of await redis.lrange(list, 0, -1)) {
      await redis.del(`${prefix}${jobId}:lock`);
      await redis.sadd(`${prefix}stalled`, jobId);
    }
    await redis.del(`${prefix}stalled-check`);
  }
}

function bulkListKey(list: "wait" | "active"): string {
  return `${KEY_PREFIX}:${queueName(ANY, "bulk")}:${list}`;
}

function byJob(keys: readonly string[]): Map<string, string> {
  return new Map(keys.map((key) => [jobOf(key), key]));
}

function jobOf(key: string): string {
  return key.slice(key.lastIndexOf(":") + 1);
}
