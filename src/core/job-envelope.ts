import { z } from "zod";
import type { JobEnvelope, ScoringOptions } from "./job.js";
import { MAX_PROMPT_TEXT_CHARS } from "./prompt.js";
import { LONG_DOCUMENTS, PUBLIC_SCORES, TRUNCATIONS } from "./scoring.js";

const scoringOptionsSchema = z.object({
  maxLength: z.number(),
  truncation: z.enum(TRUNCATIONS),
  longDocuments: z.enum(LONG_DOCUMENTS).optional(),
  overlapTokens: z.number().optional(),
  maxWindows: z.number().optional(),
  maxTokensPerDoc: z.number().optional(),
  score: z.enum(PUBLIC_SCORES).optional(),
  instruction: z.string().min(1).max(MAX_PROMPT_TEXT_CHARS).optional(),
}) satisfies z.ZodType<ScoringOptions>;

/** It goes into logs and headers. */
const MAX_REQUEST_ID_CHARS = 128;

/** A job's envelope as BullMQ and the chunks of a run hold it. */
export const envelopeSchema = z.object({
  v: z.union([z.literal(1), z.literal(2)]),
  options: scoringOptionsSchema,
  bytes: z.int().min(0),
  pairs: z.int().min(0),
  ttlSeconds: z.int().min(1),
  request: z.string().exactOptional(),
  requestId: z.string().max(MAX_REQUEST_ID_CHARS).exactOptional(),
}) satisfies z.ZodType<JobEnvelope>;

/** @returns undefined for anything that is no envelope of this version */
export function parseEnvelope(value: unknown): JobEnvelope | undefined {
  return envelopeSchema.safeParse(value).data;
}
