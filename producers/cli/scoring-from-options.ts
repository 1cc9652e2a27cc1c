import type { ResolvedScoring } from "../../src/core/job.js";
import { checkMaxLength, resolveScoring } from "../../src/core/scoring.js";
import type { Values } from "./option-values.js";

/** Options that decide how pairs are read and scored: another value, another score. */
export const SCORING_OPTION_NAMES = [
  "maxLength",
  "truncation",
  "longDocuments",
  "overlapTokens",
  "maxWindows",
  "maxTokensPerDoc",
  "score",
] as const;

/**
 * How the pairs of a run are scored.
 *
 * @throws RankmillError `invalid_field` or `limit_exceeded`, naming option, limit and value
 */
export function scoringOf(
  values: Values<(typeof SCORING_OPTION_NAMES)[number]>,
  model: {
    readonly name: string;
    readonly maxLength: { readonly default: number; readonly highest: number };
  },
): ResolvedScoring {
  const maxLength = values.maxLength ?? model.maxLength.default;
  checkMaxLength(maxLength, model.maxLength.highest, model.name);
  return resolveScoring({
    maxLength,
    truncation: values.truncation as ResolvedScoring["truncation"],
    longDocuments: values.longDocuments as ResolvedScoring["longDocuments"],
    overlapTokens: values.overlapTokens,
    maxWindows: values.maxWindows,
    maxTokensPerDoc: values.maxTokensPerDoc,
    score: values.score as ResolvedScoring["score"],
  });
}
