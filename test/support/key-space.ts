/** The whole of a Redis, as a test compares it. */
import type { Redis } from "ioredis";

/**
 * All keys of rankmill and BullMQ, without those that say for some seconds who works there: a worker's
 * announcement, a lease on looking after a run, BullMQ's check for stalled jobs and its marker that
 * there is work.
 */
export async function keySpace(redis: Redis): Promise<string[]> {
  const keys = await redis.keys("*");
  return keys.filter((key) => !/:(workers|worker:[^:]+|stalled-check|marker)$/.test(key)).sort();
}

/** Jobs of whatever run that wait in a queue or are in a worker's hands. */
export async function jobsAtWork(redis: Redis): Promise<number> {
  const lists = await redis.keys("rankmill:*");
  // In one step: a job that moves meanwhile would be in neither of two lists.
  const asked = redis.multi();
  for (const key of lists) {
    if (/:(wait|active)$/.test(key)) asked.llen(key);
    if (key.endsWith(":delayed")) asked.zcard(key);
  }
  const answers = (await asked.exec()) ?? [];
  return answers.reduce((sum, [, count]) => sum + Number(count), 0);
}
