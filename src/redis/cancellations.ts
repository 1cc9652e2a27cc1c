/** The notices that end attempts at jobs that nobody waits for any more. */
import { cancelChannel } from "./keys.js";
import { duplicateClient, type RedisClient } from "./redis-client.js";
import { unwantedOf } from "./unwanted-jobs.js";

/** A holder of jobs that can let them go. */
export interface JobHolder {
  readonly held: readonly string[];
  drop(jobId: string): void;
}

/**
 * Lets holders drop the jobs that notices name. A notice may be late. A producer that wants a job again waits
 * until it has been let go, so a job that somebody waits for now is another one, and stays.
 *
 * @returns the connection that listens; to be disconnected by the caller
 * @throws what Redis refuses
 */
export async function listenForCancellations(
  redis: RedisClient,
  tag: string,
  holders: readonly JobHolder[],
): Promise<RedisClient> {
  const subscriber = duplicateClient(redis);
  subscriber.on("error", () => {});
  subscriber.on("message", (_channel: string, named: string) => {
    const held = new Set(holders.flatMap((holder) => holder.held));
    const jobIds = named.split(",").filter((jobId) => held.has(jobId));
    void dropUnwanted(redis, tag, jobIds, holders);
  });
  try {
    await subscriber.subscribe(cancelChannel(tag));
  } catch (error) {
    subscriber.disconnect();
    throw error;
  }
  return subscriber;
}

async function dropUnwanted(
  redis: RedisClient,
  tag: string,
  jobIds: readonly string[],
  holders: readonly JobHolder[],
): Promise<void> {
  // An outage: the attempt goes on, and its result is not written.
  const unwanted = await unwantedOf(redis, tag, jobIds).catch(() => []);
  for (const jobId of unwanted) for (const holder of holders) holder.drop(jobId);
}
