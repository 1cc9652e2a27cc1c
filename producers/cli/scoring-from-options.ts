import type { ResolvedScoring } from "../../src/core/job.js";
import { checkInstruction } from "../../src/core/prompt.js";
import { checkMaxLength, resolveScoring } from "../../src/core/scoring.js";
import type { ScoringValues } from "./options/scoring.js";

/**
 * The way in which the pairs of a run are scored.
 *
 * @throws RankmillError `invalid_field` or `limit_exceeded`, naming option, limit and value
 */
export function scoringOf(
  values: ScoringValues,
  model: {
    readonly name: string;
    readonly maxLength: { readonly default: number; readonly highest: number };
    readonly takesInstruction: boolean;
  },
): ResolvedScoring {
  const maxLength = values.maxLength ?? model.maxLength.default;
  checkMaxLength(maxLength, model.maxLength.highest, model.name);
  checkInstruction(values.instruction, model.takesInstruction, model.name);
  return resolveScoring({ ...values, maxLength });
}
