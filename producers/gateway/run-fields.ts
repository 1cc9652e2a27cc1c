/** Runs as bodies and URLs spell them. */
import { z } from "zod";
import { DEFAULT_RUN_TTL_SECONDS } from "../../src/core/run-ttl.js";
import { INPUT_FORMATS } from "../../src/inputs/formats/registry.js";
import { scoringFields } from "./scoring-fields.js";

const MIN_TTL_SECONDS = 60;
const MAX_TTL_SECONDS = 31_536_000;
const MOST_RUNS = 100;

/** @param count a number in JSON, or one that a URL spells */
function settingsFields(count: z.ZodType<number>) {
  return {
    ...scoringFields(count),
    model: z.string().optional().describe("The model; if it is left out, the default one."),
    format: z.enum(INPUT_FORMATS).default("auto").describe("The shape of the input's lines."),
    top_n: count.optional().describe("Results of each record that are kept; 0: all."),
    ttl_seconds: count
      .refine((value) => value >= MIN_TTL_SECONDS && value <= MAX_TTL_SECONDS, {
        error: `must be ${MIN_TTL_SECONDS} to ${MAX_TTL_SECONDS}`,
      })
      .default(DEFAULT_RUN_TTL_SECONDS)
      .meta({
        minimum: MIN_TTL_SECONDS,
        maximum: MAX_TTL_SECONDS,
        description: "The time for which the run is kept once it is over.",
      }),
  };
}

/** The settings of a run whose records are the body. */
export const runQuerySchema = z.strictObject(settingsFields(z.coerce.number<string>().int()));

/** A run over a file that was uploaded before. */
export const runBodySchema = z.strictObject({
  ...settingsFields(z.int()),
  file: z
    .string({
      error: ({ input }) =>
        input === undefined
          ? "is missing: JSON names an uploaded file; send records as application/x-ndjson"
          : undefined,
    })
    .describe("The id of an uploaded file."),
});

export type RunSettings = z.output<typeof runQuerySchema>;

export const runPageSchema = z.strictObject({
  after: z.string().optional().describe("The run after which the page begins."),
  limit: z.coerce.number().int().min(1).max(MOST_RUNS).default(20).describe("Runs of the page."),
});

export const linesSchema = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("Lines to leave out: as many as the reader has."),
});

export const purgeSchema = z.strictObject({
  force: z
    .enum(["true", "false"])
    .default("false")
    .describe("`true` stops a run that is at work first."),
});
