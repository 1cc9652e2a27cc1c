import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { numbersName } from "../core/forms/numbers.js";
import type { ModelKey } from "../core/job.js";
import { tryStored } from "../core/stored-json.js";
import { FORMED_MODELS_KEY, MODELS_KEY, modelTag } from "./keys.js";
import { waitOut } from "./wait-out.js";
import type { RedisClient } from "./redis-client.js";
import { listWorkers } from "./worker-registry.js";

/** Description of a model by the workers that serve it, so that a producer needs no model files. */
const servedModelSchema = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  revision: z.string(),
  precision: z.string(),
  /** See `ModelKey.form`. */
  form: z.string().optional(),
  digest: z.string(),
  maxLength: z.object({ default: z.int(), highest: z.int() }),
  /** Workers of versions that know no instruction do not say it. */
  takesInstruction: z.boolean().default(false),
});

export type ServedModel = z.infer<typeof servedModelSchema>;

/** Remembers that `model` is served here; kept after the worker stops, since its queue is kept too. */
export async function registerModel(redis: RedisClient, model: ServedModel): Promise<void> {
  const key = model.form === undefined ? MODELS_KEY : FORMED_MODELS_KEY;
  await waitOut(() => redis.hset(key, modelTag(model), JSON.stringify(model)));
}

/** Those in the file's own numbers come first. */
export async function listServedModels(redis: RedisClient): Promise<ServedModel[]> {
  const entries = await Promise.all([MODELS_KEY, FORMED_MODELS_KEY].map((key) => redis.hvals(key)));
  return entries.flat().flatMap((entry) => tryStored(servedModelSchema, entry) ?? []);
}

/** The parts by which a producer chooses among models of one name; form `file`: the file's own numbers. */
export interface WantedModel {
  readonly revision?: string | undefined;
  readonly precision?: string | undefined;
  readonly form?: string | undefined;
}

/**
 * Finds the one served model that is called `name`. Of several forms of one model the first with a worker is
 * meant, the file's own numbers before others, unless `wanted` names one.
 *
 * @returns undefined if no worker ever served it
 * @throws RankmillError `model_ambiguous` if several match: revision or precision must be given too
 */
export async function findServedModel(
  redis: RedisClient,
  name: string,
  wanted: WantedModel = {},
): Promise<ServedModel | undefined> {
  const matching = (await listServedModels(redis)).filter(
    (model) => isCalled(model, name) && isWanted(model, wanted),
  );
  const [first] = matching;
  if (first === undefined || matching.length === 1) return first;
  if (matching.every((model) => differsInForm(model, first))) {
    return await firstAtWork(redis, matching);
  }
  const list = matching
    .map((model) => `${numbersName(model)} of revision ${model.revision}`)
    .join(", ");
  throw new RankmillError(
    "model_ambiguous",
    `model ${name} is served as ${list}: say which (precision, revision)`,
    { context: { model: name } },
  );
}

/** True if two models are one, or differ in nothing but their numeric form. */
export function differsInForm(one: ModelKey, other: ModelKey): boolean {
  return modelTag({ ...one, form: undefined }) === modelTag({ ...other, form: undefined });
}

export function isCalled(model: ServedModel, name: string): boolean {
  return [model.name, ...model.aliases].some((known) => known.toLowerCase() === name.toLowerCase());
}

function isWanted(model: ServedModel, { revision, precision, form }: WantedModel): boolean {
  return (
    (revision === undefined || model.revision.startsWith(revision)) &&
    (precision === undefined || model.precision === precision) &&
    (form === undefined || (model.form ?? OWN_NUMBERS) === form)
  );
}

const OWN_NUMBERS = "file";

/** If none is at work, the newest kind is meant: workers of older versions serve files' own numbers alone. */
async function firstAtWork(
  redis: RedisClient,
  models: readonly ServedModel[],
): Promise<ServedModel | undefined> {
  const workers = await Promise.all(models.map((model) => listWorkers(redis, modelTag(model))));
  return models.find((_, i) => (workers[i] ?? []).length > 0) ?? models.at(-1);
}
