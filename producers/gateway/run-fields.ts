/** Runs as bodies and URLs spell them. */
import { z } from "zod";
import { DEFAULT_RUN_TTL_SECONDS } from "../../src/core/run-ttl.js";
import { INPUT_FORMATS } from "../../src/inputs/formats/registry.js";
import type { RunInfo } from "../../src/redis/run-info.js";
import type { RunStatus } from "../../src/runs/run-status.js";
import { scoringFields } from "./scoring-fields.js";

const MIN_TTL_SECONDS = 60;
const MAX_TTL_SECONDS = 31_536_000;
const MOST_RUNS = 100;

/** @param count a number in JSON, or one that a URL spells */
function settingsFields(count: z.ZodType<number>) {
  return {
    ...scoringFields(count),
    model: z.string().optional(),
    format: z.enum(INPUT_FORMATS).default("auto"),
    top_n: count.optional(),
    ttl_seconds: count
      .refine((value) => value >= MIN_TTL_SECONDS && value <= MAX_TTL_SECONDS, {
        error: `must be ${MIN_TTL_SECONDS} to ${MAX_TTL_SECONDS}`,
      })
      .default(DEFAULT_RUN_TTL_SECONDS),
  };
}

/** The settings of a run whose records are the body. */
export const runQuerySchema = z.strictObject(settingsFields(z.coerce.number<string>().int()));

/** A run over a file that was uploaded before. */
export const runBodySchema = z.strictObject({
  ...settingsFields(z.int()),
  file: z.string(),
});

export type RunSettings = z.output<typeof runQuerySchema>;

export const runPageSchema = z.strictObject({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MOST_RUNS).default(20),
});

export const linesSchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
});

export const purgeSchema = z.strictObject({
  force: z.enum(["true", "false"]).default("false"),
});

/** A run in a list. */
export function runObject(id: string, info: RunInfo): Record<string, unknown> {
  return {
    id,
    object: "run",
    state: info.state,
    spooled: info.spooled === "yes",
    model: info.model,
    input: info.input,
    total: info.total,
    created_at: info.createdAt,
  };
}

/** The progress of a run, as an event tells it. */
export function progressObject(id: string, status: RunStatus): Record<string, unknown> {
  const { state, over, total, counts, waiting, active } = status;
  const { done, failed, pairs, tokens } = counts;
  return { id, object: "run", state, over, total, done, failed, waiting, active, pairs, tokens };
}
