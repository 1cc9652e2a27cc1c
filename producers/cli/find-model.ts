import { basename, resolve } from "node:path";
import { RankmillError } from "../../src/core/errors.js";
import { PRECISIONS } from "../../src/core/precision.js";
import type { ModelKey } from "../../src/core/job.js";
import { looksLikePath } from "../../src/models/resolve.js";
import { findServedModel, type ServedModel } from "../../src/redis/model-registry.js";
import { modelsInUse } from "../../src/redis/models-in-use.js";
import { option, wording } from "../../src/core/wording.js";
import { requireModel } from "./context.js";
import { requireOptions } from "./options/required-options.js";
import type { AskedModelValues } from "./options/model.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

/** The facts that a producer must know of a model; it needs none of its files. */
export interface KnownModel extends ModelKey {
  readonly maxLength: { readonly default: number; readonly highest: number };
  readonly takesInstruction: boolean;
}

/**
 * Finds the model that a producer names: among those that workers serve on this Redis, else on this
 * machine.
 *
 * @throws RankmillError `invalid_option`, `model_not_found`
 */
export async function findModel(redis: RedisClient, values: AskedModelValues): Promise<KnownModel> {
  const { model: name, int8Form: form, precision } = values;
  if (precision === "auto") return await servedByFleet(redis, values);
  if (name !== undefined && !looksLikePath(name)) {
    const served = await findServedModel(redis, name, { precision, form });
    if (served !== undefined) return served;
  }
  try {
    return await requireModel({ ...values, precision });
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "model_not_found") throw error;
    throw new RankmillError(
      "model_not_found",
      `no worker on this Redis has served "${name ?? ""}" yet, and ${error.message}`,
      { cause: error },
    );
  }
}

/** The first of what workers serve; for a folder, the first that is of its files. */
async function firstOf(
  served: readonly ServedModel[],
  values: AskedModelValues,
): Promise<ServedModel | undefined> {
  if (!looksLikePath(values.model ?? "")) return served[0];
  for (const one of served) {
    if ((await revisionHere(one, values)) === one.revision) return one;
  }
  return undefined;
}

/** @returns undefined if the folder has no file of that precision */
async function revisionHere(
  { precision: served }: ServedModel,
  values: AskedModelValues,
): Promise<string | undefined> {
  const precision = PRECISIONS.find((one) => one === served);
  try {
    return (await requireModel({ ...values, precision, int8Form: undefined })).revision;
  } catch (error) {
    if (error instanceof RankmillError && error.code === "model_unusable") return undefined;
    throw error;
  }
}

/** A producer measures nothing: what workers have chosen is what it means. */
async function servedByFleet(redis: RedisClient, values: AskedModelValues): Promise<KnownModel> {
  const { model: asked } = requireOptions({ model: values.model });
  const name = looksLikePath(asked) ? basename(resolve(asked)) : asked;
  const inUse = await firstOf(await modelsInUse(redis, name), values);
  // One that was served once may have other files than the folder.
  const served = inUse ?? (looksLikePath(asked) ? undefined : await findServedModel(redis, name));
  if (served !== undefined) return served;
  throw new RankmillError(
    "model_not_found",
    wording`${option("precision", "auto")}: no worker on this Redis has served "${name}" yet, so its precision is not chosen: start one first, or name a precision`,
  );
}
