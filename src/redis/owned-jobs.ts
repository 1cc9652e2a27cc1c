import { hash } from "node:crypto";
import { jobKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

const MODEL_CHARS = 8;
const JOB_NAME = /^(r[0-9a-f]{40})-([0-9a-f]{8})$/;

/**
 * The name of a job for those who ask for it over HTTP: its id, and a mark of the model, since equal requests to
 * two models have one id.
 */
export function jobName({ tag, id }: PlacedJob): string {
  return `${id}-${hash("sha256", tag).slice(0, MODEL_CHARS)}`;
}

/**
 * The job that a name means.
 *
 * @param tags of the models that it may belong to
 * @returns undefined for what is no name, or the name of a job of none of them
 */
export function jobNamed(name: string, tags: readonly string[]): PlacedJob | undefined {
  const id = JOB_NAME.exec(name)?.[1] ?? "";
  const tag = tags.find((one) => jobName({ tag: one, id }) === name);
  return id === "" || tag === undefined ? undefined : { id, tag };
}

/** Whether one of `owners` waits for a job. None of them may hold a quote, `\` or a line break. */
export async function isOwnedBy(
  redis: RedisClient,
  { tag, id }: PlacedJob,
  owners: readonly string[],
): Promise<boolean> {
  const found = (await redis.get(jobKeys.owners(tag, id))) ?? "";
  return found.split("\n").some((one) => owners.includes(one));
}

/** A job by its id, and the model whose queues it lies in. */
export interface PlacedJob {
  readonly id: string;
  readonly tag: string;
}

/** Those of the jobs that have a result, or that nobody waits for any more. */
export async function endedJobs<T extends PlacedJob>(
  redis: RedisClient,
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
