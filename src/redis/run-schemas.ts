/** The shapes of what Redis holds of a submitted run, beside its own hash. */
import { z } from "zod";
import type { NewJob } from "../core/job.js";
import { envelopeSchema } from "../core/job-envelope.js";
import { PRIORITIES } from "../core/priority.js";
import type { RecordFailure } from "../core/record.js";
import type { RunCounts } from "../core/run-counts.js";
import type { RunSeries } from "../core/run-series.js";
import { emptyHistogram, MOST_BUCKETS, type ScoreHistogram } from "../core/score-histogram.js";
import type { SpeedSample } from "../core/run-speed.js";

const newJobSchema = z.object({
  jobId: z.string(),
  envelope: envelopeSchema,
  payload: z.string().exactOptional(),
  priority: z.enum(PRIORITIES),
}) satisfies z.ZodType<NewJob>;

const failureSchema = z.object({
  line: z.int(),
  id: z.string().exactOptional(),
  code: z.string(),
  reason: z.string(),
  input: z.unknown(),
}) satisfies z.ZodType<RecordFailure>;

/** One line of a submitted run. */
export const runEntrySchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("job"),
    line: z.int(),
    id: z.string(),
    job: newJobSchema,
  }),
  z.object({ status: z.literal("invalid"), failure: failureSchema }),
]);

const histogramSchema = z.object({
  log2Width: z.int(),
  first: z.int(),
  counts: z.array(z.number()).max(MOST_BUCKETS),
}) satisfies z.ZodType<ScoreHistogram>;

/** Counts as any version wrote them: a figure that it did not know is zero. */
export const runCountsSchema = z.object({
  done: z.number().default(0),
  failed: z.number().default(0),
  pairs: z.number().default(0),
  tokens: z.number().default(0),
  truncated: z.number().default(0),
  failedPairs: z.number().default(0),
  failedByCode: z.record(z.string(), z.number()).default({}),
  scores: histogramSchema.default(emptyHistogram),
}) satisfies z.ZodType<RunCounts>;

export const runProgressSchema = z.object({
  total: z.number(),
  counts: runCountsSchema,
  active: z.number(),
});

export const speedSampleSchema = z.object({
  atMs: z.number(),
  ended: z.number(),
  pairs: z.number(),
  tokens: z.number(),
}) satisfies z.ZodType<SpeedSample>;

export const runSeriesSchema = z.object({
  intervalSeconds: z.number().positive(),
  points: z.array(
    z.object({ atMs: z.number(), ended: z.number(), failed: z.number(), pairs: z.number() }),
  ),
}) satisfies z.ZodType<RunSeries>;

/** The newest figures of a run, for those who show many runs at once. */
export const runFiguresSchema = z.object({
  atMs: z.number(),
  total: z.number(),
  counts: runCountsSchema,
  recordsPerSecond: z.number().exactOptional(),
  pairsPerSecond: z.number().exactOptional(),
});
