/** The way in which pairs are read and scored, as bodies and URLs spell it. */
import { z } from "zod";
import type { ScoringOptions } from "../../src/core/job.js";
import { LONG_DOCUMENTS, PUBLIC_SCORES, TRUNCATIONS } from "../../src/core/scoring.js";

/** @param count a number in JSON, or one that a URL spells */
export function scoringFields(count: z.ZodType<number>) {
  return {
    max_length: count
      .optional()
      .describe("Tokens of query and document together; the model's own if it is left out."),
    truncation: z
      .enum(TRUNCATIONS)
      .optional()
      .describe("The text that is cut: the document, or the longer one."),
    long_documents: z
      .enum(LONG_DOCUMENTS)
      .optional()
      .describe("`windows` reads a long document in slices; the best counts."),
    overlap_tokens: count.optional().describe("Tokens that two windows share."),
    max_windows: count.optional().describe("Most windows of a document."),
    max_tokens_per_doc: count.optional().describe("Tokens of each document that are read."),
    score: z.enum(PUBLIC_SCORES).optional().describe("`logit`: the raw output of the model."),
    instruction: z.string().optional().describe("Tells a model with a prompt what to look for."),
  };
}

export type ScoringFields = z.output<z.ZodObject<ReturnType<typeof scoringFields>>>;

export function scoringOf(fields: ScoringFields): Partial<ScoringOptions> {
  const { max_length: maxLength, truncation } = fields;
  return {
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(truncation === undefined ? {} : { truncation }),
    longDocuments: fields.long_documents,
    overlapTokens: fields.overlap_tokens,
    maxWindows: fields.max_windows,
    maxTokensPerDoc: fields.max_tokens_per_doc,
    score: fields.score,
    instruction: fields.instruction,
  };
}
