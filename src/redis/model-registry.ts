import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import type { ModelKey } from "../core/job.js";
import { tryStored } from "../core/stored-json.js";
import { MODELS_KEY, modelTag } from "./keys.js";
import { waitOut } from "./wait-out.js";
import type { RedisClient } from "./redis-client.js";

/** Description of a model by the workers that serve it, so that a producer needs no model files. */
const servedModelSchema = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  revision: z.string(),
  precision: z.string(),
  digest: z.string(),
  maxLength: z.object({ default: z.int(), highest: z.int() }),
  /** Workers of versions that know no instruction do not say it. */
  takesInstruction: z.boolean().default(false),
});

export type ServedModel = z.infer<typeof servedModelSchema>;

/** Remembers that `model` is served here; kept after the worker stops, since its queue is kept too. */
export async function registerModel(redis: RedisClient, model: ServedModel): Promise<void> {
  await waitOut(() => redis.hset(MODELS_KEY, modelTag(model), JSON.stringify(model)));
}

export async function listServedModels(redis: RedisClient): Promise<ServedModel[]> {
  const entries = await redis.hvals(MODELS_KEY);
  return entries.flatMap((entry) => {
    return tryStored(servedModelSchema, entry) ?? [];
  });
}

/**
 * Finds the one served model that is called `name`.
 *
 * @returns undefined if no worker ever served it
 * @throws RankmillError `model_ambiguous` if several match: revision or precision must be given too
 */
export async function findServedModel(
  redis: RedisClient,
  name: string,
  wanted: Partial<Omit<ModelKey, "name">> = {},
): Promise<ServedModel | undefined> {
  const matching = (await listServedModels(redis)).filter(
    (model) =>
      [model.name, ...model.aliases].some((known) => known.toLowerCase() === name.toLowerCase()) &&
      (wanted.revision === undefined || model.revision.startsWith(wanted.revision)) &&
      (wanted.precision === undefined || model.precision === wanted.precision),
  );
  if (matching.length > 1) {
    const list = matching
      .map((model) => `${model.precision} of revision ${model.revision}`)
      .join(", ");
    throw new RankmillError(
      "model_ambiguous",
      `model ${name} is served as ${list}: say which (precision, revision)`,
      { context: { model: name } },
    );
  }
  return matching[0];
}
