import { checkMaxLength } from "../../core/scoring.js";

/** Used if the caller names a model by {name, revision, precision} and no worker told its own. */
const FALLBACK_MAX_LENGTH = 512;

/**
 * The tokens of a pair that a caller asked for, or the model's own.
 *
 * @throws RankmillError `limit_exceeded`
 */
export function maxLengthOf(
  given: number | undefined,
  model: {
    readonly name: string;
    readonly maxLength?: { readonly default: number; readonly highest: number } | undefined;
  },
): number {
  const value = given ?? model.maxLength?.default ?? FALLBACK_MAX_LENGTH;
  checkMaxLength(value, model.maxLength?.highest ?? Infinity, model.name);
  return value;
}
