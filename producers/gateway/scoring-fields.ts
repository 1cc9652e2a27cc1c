/** The way in which pairs are read and scored, as bodies and URLs spell it. */
import { z } from "zod";
import type { ScoringOptions } from "../../src/core/job.js";
import { LONG_DOCUMENTS, PUBLIC_SCORES, TRUNCATIONS } from "../../src/core/scoring.js";

/** @param count a number in JSON, or one that a URL spells */
export function scoringFields(count: z.ZodType<number>) {
  return {
    max_length: count.optional(),
    truncation: z.enum(TRUNCATIONS).optional(),
    long_documents: z.enum(LONG_DOCUMENTS).optional(),
    overlap_tokens: count.optional(),
    max_windows: count.optional(),
    max_tokens_per_doc: count.optional(),
    score: z.enum(PUBLIC_SCORES).optional(),
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
  };
}
