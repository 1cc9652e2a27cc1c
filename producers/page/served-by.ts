import { modelTag } from "../../src/redis/keys.js";
import { listServedModels, type ServedModel } from "../../src/redis/model-registry.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { listWorkers, type WorkerAnnouncement } from "../../src/redis/worker-registry.js";

/** Models whose workers are shown; each costs two questions. */
const MOST_MODELS = 100;

export interface ServedBy {
  readonly model: ServedModel;
  readonly workers: readonly WorkerAnnouncement[];
}

/** Every model that was served here, with the workers that serve it at present. */
export async function listServedBy(redis: RedisClient): Promise<readonly ServedBy[]> {
  const models = (await listServedModels(redis)).slice(0, MOST_MODELS);
  return await Promise.all(
    models.map(async (model) => ({ model, workers: await listWorkers(redis, modelTag(model)) })),
  );
}
