/** The models of one name that a fleet has work for, and what workers that choose by themselves have agreed on. */
import { z } from "zod";
import type { Numbers } from "../core/forms/numbers.js";
import { tryStored } from "../core/stored-json.js";
import { readBacklog } from "./backlog.js";
import { agreedNumbersKey, modelTag } from "./keys.js";
import { isCalled, listServedModels, type ServedModel } from "./model-registry.js";
import type { RedisClient } from "./redis-client.js";
import { listWorkers } from "./worker-registry.js";

/**
 * Seconds for which an agreement holds by itself: from a choice until the worker that made it is at work. From then on
 * its workers and jobs hold it.
 */
const AGREEMENT_SECONDS = 900;

const numbersSchema = z.object({ precision: z.string(), form: z.string().optional() });

/** Models called `name` that workers serve or jobs wait for; those with most workers first. */
export async function modelsInUse(redis: RedisClient, name: string): Promise<ServedModel[]> {
  const called = (await listServedModels(redis)).filter((model) => isCalled(model, name));
  const counted = await Promise.all(
    called.map(async (model) => {
      const tag = modelTag(model);
      const workers = (await listWorkers(redis, tag)).length;
      const isUsed = workers > 0 || (await hasJobs(redis, tag));
      return { model, workers, isUsed };
    }),
  );
  return counted
    .filter(({ isUsed }) => isUsed)
    .toSorted((a, b) => b.workers - a.workers)
    .map(({ model }) => model);
}

async function hasJobs(redis: RedisClient, tag: string): Promise<boolean> {
  const queues = await readBacklog(redis, tag);
  return queues.some(({ jobs }) => jobs.waiting + jobs.active + jobs.delayed > 0);
}

/** @param fp32Tag tag of the model's fp32 file, which every host that chooses has */
export async function agreedNumbers(
  redis: RedisClient,
  fp32Tag: string,
): Promise<Numbers | undefined> {
  const text = await redis.get(agreedNumbersKey(fp32Tag));
  return text === null ? undefined : tryStored(numbersSchema, text);
}

/** Proposes numbers for a fleet. @returns those that the first has proposed */
export async function agreeOnNumbers(
  redis: RedisClient,
  fp32Tag: string,
  { precision, form }: Numbers,
): Promise<Numbers> {
  const own = { precision, form };
  const key = agreedNumbersKey(fp32Tag);
  await redis.set(key, JSON.stringify(own), "EX", AGREEMENT_SECONDS, "NX");
  return (await agreedNumbers(redis, fp32Tag)) ?? own;
}
