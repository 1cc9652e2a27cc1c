import { RankmillError } from "./errors.js";
import { MAX_PROMPT_TEXT_CHARS } from "./prompt.js";
import { option, wording } from "./wording.js";
import type {
  LongDocuments,
  PublicScore,
  ResolvedScoring,
  ScoringOptions,
  Truncation,
} from "./job.js";

export const TRUNCATIONS = ["only-second", "longest-first"] as const satisfies Truncation[];
export const LONG_DOCUMENTS = ["truncate", "windows"] as const satisfies LongDocuments[];
export const PUBLIC_SCORES = ["activated", "logit"] as const satisfies PublicScore[];

/** A passage of some sentences stands whole in one window; a seventh more work at 512 tokens. */
export const DEFAULT_OVERLAP_TOKENS = 64;
/** Some 27,000 tokens, 50 pages, at 512 tokens per pair. */
export const DEFAULT_MAX_WINDOWS = 64;
/** Most windows of one document: a job's work must be foreseeable. */
export const MOST_WINDOWS = 1_024;

/** More than half of a pair's tokens as overlap would read everything more than twice. */
function mostOverlap(maxLength: number): number {
  return Math.floor(maxLength / 2);
}

/**
 * Fills in what `options` leave open and checks the rest. A result, given again, is returned
 * unchanged; its keys stand in one order, so that equal options are equal JSON.
 *
 * @throws RankmillError `invalid_field` or `limit_exceeded`, naming field, limit and value
 */
export function resolveScoring(options: ScoringOptions): ResolvedScoring {
  const { maxLength, truncation, longDocuments = "truncate", score = "activated" } = options;
  checkInteger("maxLength", maxLength, 1, Number.MAX_SAFE_INTEGER, "tokens");
  checkChoice("truncation", truncation, TRUNCATIONS);
  checkChoice("longDocuments", longDocuments, LONG_DOCUMENTS);
  checkChoice("score", score, PUBLIC_SCORES);
  const { maxTokensPerDoc = 0 } = options;
  checkInteger("maxTokensPerDoc", maxTokensPerDoc, 0, Number.MAX_SAFE_INTEGER, "tokens");
  const common = {
    maxLength,
    truncation,
    longDocuments,
    maxTokensPerDoc,
    score,
    ...instructionOf(options),
  };
  if (longDocuments === "truncate") {
    const { overlapTokens = 0, maxWindows = 1 } = options;
    checkUnsplit("overlapTokens", overlapTokens, 0);
    checkUnsplit("maxWindows", maxWindows, 1);
    return { ...common, overlapTokens, maxWindows };
  }
  const highest = mostOverlap(maxLength);
  const { overlapTokens = Math.min(DEFAULT_OVERLAP_TOKENS, Math.floor(highest / 2)) } = options;
  const { maxWindows = DEFAULT_MAX_WINDOWS } = options;
  checkInteger("overlapTokens", overlapTokens, 0, highest, "tokens", "half of the longest pair");
  checkInteger("maxWindows", maxWindows, 1, MOST_WINDOWS, "windows");
  return { ...common, overlapTokens, maxWindows };
}

/** @throws RankmillError `invalid_field`, `limit_exceeded` */
function instructionOf({ instruction }: ScoringOptions): { readonly instruction?: string } {
  if (instruction === undefined) return {};
  const field = "instruction";
  if (typeof instruction !== "string" || instruction.trim() === "") {
    const message = wording`${option(field)}: is ${JSON.stringify(instruction)}, not a text: leave it out for the model's own`;
    throw new RankmillError("invalid_field", message, { field });
  }
  if (instruction.length <= MAX_PROMPT_TEXT_CHARS) return { instruction };
  const limit = {
    name: field,
    value: instruction.length,
    max: MAX_PROMPT_TEXT_CHARS,
    unit: "characters",
  };
  const message = wording`${option(field)}: has ${instruction.length} characters, over the limit of ${MAX_PROMPT_TEXT_CHARS}`;
  throw new RankmillError("limit_exceeded", message, { field, limit });
}

/** @throws RankmillError `limit_exceeded` if pairs would be longer than the model can read */
export function checkMaxLength(value: number, highest: number, model: string): void {
  if (!(value > highest)) return;
  throw new RankmillError(
    "limit_exceeded",
    wording`${option("maxLength")}: is ${value} tokens, over ${model}'s limit of ${highest}`,
    {
      field: "maxLength",
      limit: { name: "maxLength", value, max: highest, unit: "tokens" },
      context: { model },
    },
  );
}

function checkInteger(
  field: keyof ScoringOptions,
  value: number,
  min: number,
  max: number,
  unit: string,
  why = "",
): void {
  if (!Number.isSafeInteger(value) || value < min) {
    const message = wording`${option(field)}: is ${String(value)}, not a whole number of at least ${min}`;
    throw new RankmillError("invalid_field", message, { field });
  }
  if (value > max) {
    const limit = { name: field, value, max, unit };
    const note = why === "" ? "" : `, ${why}`;
    const message = wording`${option(field)}: is ${value}, over the limit of ${max} ${unit}${note}`;
    throw new RankmillError("limit_exceeded", message, { field, limit });
  }
}

function checkChoice(field: keyof ScoringOptions, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  const message = wording`${option(field)}: is ${JSON.stringify(value)}, not one of ${choices.join(", ")}`;
  throw new RankmillError("invalid_field", message, { field });
}

function checkUnsplit(field: keyof ScoringOptions, value: number, only: number): void {
  if (value === only) return;
  const message = wording`${option(field)}: is ${String(value)}, but long documents are truncated: ask for ${option("longDocuments", "windows")}, or leave it out`;
  throw new RankmillError("invalid_field", message, { field });
}
