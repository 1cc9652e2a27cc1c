import { RankmillError } from "../../src/core/errors.js";
import type { ResolvedScoring } from "../../src/core/job.js";
import { resolveScoring } from "../../src/core/scoring.js";
import type { Values } from "./option-values.js";
import { OPTIONS } from "./options.js";

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
 * @throws RankmillError `usage`, naming option, limit and value
 */
export function scoringOf(
  values: Values<(typeof SCORING_OPTION_NAMES)[number]>,
  model: {
    readonly name: string;
    readonly maxLength: { readonly default: number; readonly highest: number };
  },
): ResolvedScoring {
  const maxLength = values.maxLength ?? model.maxLength.default;
  if (maxLength > model.maxLength.highest) {
    throw new RankmillError(
      "usage",
      `--max-length: ${maxLength} tokens is over ${model.name}'s limit of ${model.maxLength.highest}`,
    );
  }
  try {
    return resolveScoring({
      maxLength,
      truncation: values.truncation as ResolvedScoring["truncation"],
      longDocuments: values.longDocuments as ResolvedScoring["longDocuments"],
      overlapTokens: values.overlapTokens,
      maxWindows: values.maxWindows,
      maxTokensPerDoc: values.maxTokensPerDoc,
      score: values.score as ResolvedScoring["score"],
    });
  } catch (error) {
    if (!(error instanceof RankmillError)) throw error;
    throw new RankmillError("usage", withFlags(error.message), { cause: error });
  }
}

/** The library's names of options in a message as the command line has them. */
function withFlags(message: string): string {
  return SCORING_OPTION_NAMES.reduce((text, name) => {
    const [flag = name] = OPTIONS[name].flags.split(" ", 1);
    return text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), flag);
  }, message);
}
