/** Jobs as holders of pairs in flight: their names, and which of them have ended. */
import { endedJobs, type PlacedJob } from "../../redis/owned-jobs.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The name under which a job holds its pairs. */
export function holderOf({ id, tag }: PlacedJob): string {
  return `${tag}/${id}`;
}

/** Those of some holders that are jobs which have ended. */
export async function endedHolders(
  redis: RedisClient,
  names: readonly string[],
): Promise<string[]> {
  const jobs = names.flatMap((name) => {
    const [tag = "", id] = name.split("/");
    return id === undefined ? [] : [{ name, tag, id }];
  });
  return (await endedJobs(redis, jobs)).map(({ name }) => name);
}
