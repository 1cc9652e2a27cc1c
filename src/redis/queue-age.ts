import { bullJobKey, KEY_PREFIX, queueName } from "./keys.js";
import { PRIORITIES } from "../core/priority.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs that are read per queue: those that were handed back stand at the same end as the oldest. */
const LOOKED_AT_JOBS = 20;

/** @returns when the oldest job was enqueued that waits for a worker; undefined if none waits */
export async function oldestWaitingAtMs(
  redis: RedisClient,
  tag: string,
): Promise<number | undefined> {
  const times = await Promise.all(
    PRIORITIES.map(async (priority) => {
      const waiting = `${KEY_PREFIX}:${queueName(tag, priority)}:wait`;
      // BullMQ puts new jobs in at the head and takes them from the tail.
      const jobIds = await redis.lrange(waiting, -LOOKED_AT_JOBS, -1);
      return await Promise.all(
        jobIds.map((jobId) => redis.hget(bullJobKey(tag, priority, jobId), "timestamp")),
      );
    }),
  );
  const known = times.flat().flatMap((time) => (time === null ? [] : [Number(time)]));
  return known.length === 0 ? undefined : Math.min(...known);
}
