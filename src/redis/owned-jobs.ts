import type { Redis } from "ioredis";
import { jobKeys } from "./keys.js";

/**
 * The first of `tags` under which one of `owners` waits for the job: one id may mean equal requests to several
 * models. Neither name of an owner may hold a quote, `\` or a line break.
 */
export async function tagOwnedBy(
  redis: Redis,
  tags: readonly string[],
  jobId: string,
  owners: readonly string[],
): Promise<string | undefined> {
  const found = await Promise.all(tags.map((tag) => redis.get(jobKeys.owners(tag, jobId))));
  return tags.find((_, i) => (found[i] ?? "").split("\n").some((one) => owners.includes(one)));
}

/** A job by its id, and the model whose queues it lies in. */
export interface PlacedJob {
  readonly id: string;
  readonly tag: string;
}

/** Those of the jobs that have a result, or that nobody waits for any more. */
export async function endedJobs<T extends PlacedJob>(
  redis: Redis,
  jobs: readonly T[],
): Promise<T[]> {
  const ended = await Promise.all(
    jobs.map(async ({ tag, id }) => {
      const [result, owners] = await Promise.all([
        redis.exists(jobKeys.result(tag, id)),
        redis.exists(jobKeys.owners(tag, id)),
      ]);
      return result === 1 || owners === 0;
    }),
  );
  return jobs.filter((_, i) => ended[i] === true);
}
