import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../core/in-flight-bounds.js";
import type { ResolvedScoring } from "../core/job.js";
import { LONG_DOCUMENTS, PUBLIC_SCORES, TRUNCATIONS } from "../core/scoring.js";
import type { runEntrySchema } from "./run-schemas.js";

/** In place of `yes`: runners of versions that know no instruction must leave the run alone. */
const SPOOLED_WITH_INSTRUCTION = "yes, with an instruction";

/** The way in which the run's pairs are scored; all of it, so that no other way can join the run. */
const scoringFields = {
  maxLength: z.coerce.number(),
  truncation: z.enum(TRUNCATIONS),
  longDocuments: z.enum(LONG_DOCUMENTS).default("truncate"),
  overlapTokens: z.coerce.number().default(0),
  maxWindows: z.coerce.number().default(1),
  maxTokensPerDoc: z.coerce.number().default(0),
  score: z.enum(PUBLIC_SCORES).default("activated"),
  instruction: z.string().exactOptional(),
} satisfies Record<keyof ResolvedScoring, z.ZodType>;

/** A run's hash in Redis. */
const runSchema = z.object({
  model: z.string(),
  revision: z.string(),
  precision: z.string(),
  /** The numeric form; absent: the file's own numbers. */
  form: z.string().exactOptional(),
  tag: z.string(),
  /**
   * `submitting`: lines are still being enqueued. `complete`: set by the owner of a spooled run.
   * `failed`: its owner gave it up, for `problem`.
   */
  state: z.enum(["submitting", "submitted", "cancelled", "complete", "failed"]),
  problem: z.string().default(""),
  /** `yes`: input and rankings lie in a spool and a runner owns the run. */
  spooled: z
    .enum(["yes", "no", SPOOLED_WITH_INSTRUCTION])
    .default("no")
    .transform((spooled) => (spooled === SPOOLED_WITH_INSTRUCTION ? "yes" : spooled)),
  /** Jobs of a spooled run that may be in Redis at once; its runner may hold it to fewer. */
  windowJobs: z.coerce.number().default(DEFAULT_IN_FLIGHT_BOUNDS.maxJobs),
  input: z.string(),
  /** The access key whose user submitted it over HTTP; empty: nobody's, such as the command line's. */
  keyId: z.string().default(""),
  /** Facts of the batch as whose run it was submitted, JSON; empty: it is no batch. */
  batch: z.string().default(""),
  /** SHA-256 of what the input holds; empty if it can be read only once. */
  inputHash: z.string().default(""),
  ...scoringFields,
  /** Records enqueued or refused so far; final once submitted. */
  total: z.coerce.number(),
  chunks: z.coerce.number(),
  ttlSeconds: z.coerce.number(),
  createdAt: z.string(),
});

export type RunInfo = z.infer<typeof runSchema>;

/** One line of a submitted run. */
export type RunEntry = z.infer<typeof runEntrySchema>;

/** Letters, digits, `.`, `_` and `-`: safe in a key, a hash tag and a file name. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** @throws RankmillError `invalid_option` */
export function checkRunId(run: string): string {
  if (RUN_ID.test(run)) return run;
  throw new RankmillError(
    "invalid_option",
    `run id "${run}": expected 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit`,
    { field: "runId" },
  );
}

/** The fields of a run's hash. */
export function hashOfRunInfo(info: RunInfo): Readonly<Record<string, string | number>> {
  const isNew = info.spooled === "yes" && info.instruction !== undefined;
  return isNew ? { ...info, spooled: SPOOLED_WITH_INSTRUCTION } : { ...info };
}

/** @returns undefined if `hash` is no run, or not whole */
export function runInfoOf(hash: Readonly<Record<string, string>>): RunInfo | undefined {
  const parsed = runSchema.safeParse(hash);
  return parsed.success ? parsed.data : undefined;
}
