import type { ScoringOptions } from "../../core/job.js";
import { checkInstruction } from "../../core/prompt.js";
import { checkMaxLength } from "../../core/scoring.js";

/** Used if the caller names a model by {name, revision, precision} and no worker told its own. */
const FALLBACK_MAX_LENGTH = 512;

/** Facts of a model that decide how its pairs may be scored. The worker that takes a job knows those that none announced. */
export interface ScoredModel {
  readonly name: string;
  readonly maxLength?: { readonly default: number; readonly highest: number } | undefined;
  readonly takesInstruction?: boolean | undefined;
}

/** Options of a caller, as far as they were given. */
export type GivenScoring = {
  readonly [K in keyof ScoringOptions]?: ScoringOptions[K] | undefined;
};

/**
 * The scoring that a caller asked for, with the model's own length where they did not say.
 *
 * @throws RankmillError `limit_exceeded`, or `invalid_field` for an instruction to a model that takes none
 */
export function scoringFor(given: GivenScoring, model: ScoredModel): ScoringOptions {
  const maxLength = given.maxLength ?? model.maxLength?.default ?? FALLBACK_MAX_LENGTH;
  checkMaxLength(maxLength, model.maxLength?.highest ?? Infinity, model.name);
  checkInstruction(given.instruction, model.takesInstruction ?? true, model.name);
  return { ...given, maxLength, truncation: given.truncation ?? "only-second" };
}
