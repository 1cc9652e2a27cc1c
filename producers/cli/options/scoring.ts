import {
  DEFAULT_MAX_WINDOWS,
  DEFAULT_OVERLAP_TOKENS,
  LONG_DOCUMENTS,
  MOST_WINDOWS,
  PUBLIC_SCORES,
  TRUNCATIONS,
} from "../../../src/core/scoring.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The results per record. */
export const RESULTS = {
  title: "Scoring",
  options: {
    topN: {
      flags: "--top-n <n>",
      type: "integer",
      min: 0,
      computedDefault: "all",
      unit: "results",
      description: "results per record, unless the record has its own top_n; 0 keeps all",
    },
  },
} as const satisfies OptionGroup;

/** The way pairs are read and scored: another value gives other scores. */
export const SCORING = {
  title: "Scoring",
  options: {
    maxLength: {
      flags: "--max-length <n>",
      env: "RANKMILL_MAX_LENGTH",
      type: "integer",
      min: 8,
      computedDefault: "the model's own",
      unit: "tokens",
      description: "longest pair, special tokens included; the rest is cut off",
    },
    truncation: {
      flags: "--truncation <how>",
      type: "choice",
      choices: TRUNCATIONS,
      default: "only-second",
      description: "text that is cut: the document, or whichever of the two is longer",
    },
    longDocuments: {
      flags: "--long-documents <how>",
      type: "choice",
      choices: LONG_DOCUMENTS,
      default: "truncate",
      description:
        "treatment of a document that does not fit: cut it, or score it in windows and keep the best",
    },
    overlapTokens: {
      flags: "--overlap-tokens <n>",
      type: "integer",
      min: 0,
      computedDefault: `${DEFAULT_OVERLAP_TOKENS}, at most a quarter of the max length`,
      unit: "tokens",
      description: "least overlap of two neighbouring windows",
    },
    maxWindows: {
      flags: "--max-windows <n>",
      type: "integer",
      min: 1,
      max: MOST_WINDOWS,
      computedDefault: String(DEFAULT_MAX_WINDOWS),
      unit: "windows",
      description: "most windows per document; text beyond them is not read, and marked so",
    },
    maxTokensPerDoc: {
      flags: "--max-tokens-per-doc <n>",
      type: "integer",
      min: 0,
      default: 0,
      unit: "tokens",
      description: "tokens to read of each document, the query's not counted; 0 reads all",
    },
    score: {
      flags: "--score <what>",
      type: "choice",
      choices: PUBLIC_SCORES,
      default: "activated",
      description:
        "meaning of relevance_score: the logit after the model's activation, or the logit",
    },
    instruction: {
      flags: "--instruction <text>",
      type: "text",
      computedDefault: "the model's own",
      description: "text that tells a model with a prompt what to look for",
    },
  },
} as const satisfies OptionGroup;

export type ScoringValues = GroupValues<typeof SCORING>;
