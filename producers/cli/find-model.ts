import { RankmillError } from "../../src/core/errors.js";
import type { ModelKey } from "../../src/core/job.js";
import { findServedModel } from "../../src/redis/model-registry.js";
import { requireModel } from "./context.js";
import type { FindModelValues } from "./options/model.js";
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
export async function findModel(redis: RedisClient, values: FindModelValues): Promise<KnownModel> {
  const { model: name, precision, int8Form: form } = values;
  if (name !== undefined && !name.startsWith(".") && !name.startsWith("/")) {
    const served = await findServedModel(redis, name, { precision, form });
    if (served !== undefined) return served;
  }
  try {
    return await requireModel(values);
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "model_not_found") throw error;
    throw new RankmillError(
      "model_not_found",
      `no worker on this Redis has served "${name ?? ""}" yet, and ${error.message}`,
      { cause: error },
    );
  }
}
