import { z } from "zod";
import { fitActivation, UNMEASURED_ACTIVATION } from "../core/cost/activation-fit.js";
import { batchLimits } from "./batch-defaults.js";
import type { BatchLimits } from "../pipeline/batch/batch-plan.js";
import { fitTiming, UNMEASURED_TIMING } from "../core/cost/lane-cost.js";
import { quadraticAt, type Quadratic, type ShapeSample } from "../core/cost/quadratic.js";

/** Bumped when something is measured otherwise: older files are measured again. */
export const CALIBRATION_FORMAT = 2;

const positive = z.number().positive();
const sampleSchema = z.object({ rows: positive, length: positive, value: z.number() });

/** The measurements of one model on one host, as kept in a file. */
export const calibrationSchema = z.object({
  format: z.literal(CALIBRATION_FORMAT),
  key: z.string(),
  /** A text for people. */
  model: z.string(),
  /** The host's processor and cores, as a hash: calibrations of one host can be compared. */
  host: z.string().optional(),
  measuredAt: z.string(),
  tookMs: z.number(),
  /** Bytes of a lane's own memory. */
  lane: z.object({ readyBytes: positive, openPeakBytes: positive }),
  /** Bytes that a lane grew by. */
  activation: z.array(sampleSchema),
  /** Milliseconds of one batch on one thread. */
  timing: z.array(sampleSchema),
  /** Tokens per pair at which the speeds below were measured. */
  length: positive,
  /** Pairs per second of one lane by its processor's time; absent from files of versions that did not measure it. */
  alone: positive.optional(),
  /** Pairs per second of one lane, by rows per batch; empty if it was not worth measuring. */
  rows: z.array(z.object({ rows: positive, pairsPerSecond: positive })),
  /** Whether a pair gave the same logit to the bit alone and among rows of its own length. */
  rowsKeepBits: z.boolean(),
  /** True if padding changes no bit of a pair's logit. */
  paddingKeepsBits: z.boolean(),
  /**
   * Pairs per second of all lanes together; empty if there is one core, the model is tiny, or other
   * work kept the cores busy.
   */
  layouts: z.array(z.object({ lanes: positive, threads: positive, pairsPerSecond: positive })),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** The ratio of pairs of `ours.length` tokens one thread scores as with `theirs`. */
export function timesAsFast(ours: Calibration, theirs: Calibration): number {
  const { alone } = ours;
  // What else the machine did while one of them was measured is left out.
  if (alone !== undefined && theirs.alone !== undefined && ours.length === theirs.length) {
    return alone / theirs.alone;
  }
  const pairMs = ({ timing }: Calibration): number =>
    quadraticAt(fitTiming(timing), 1, ours.length);
  return pairMs(theirs) / pairMs(ours);
}

/** The numbers of lanes and of threads in each. */
export interface Layout {
  readonly lanes: number;
  readonly threads: number;
}

/**
 * Another layout must be this much faster to be taken: single measurements on a busy machine differ
 * by some percent, and one thread per lane is what never surprises.
 */
const WORTH_IT = 1.15;
/** Padding allowed if it was seen to change no bit; more would cost more than rows gain. */
const BUCKET_TOKENS = 8;
const AS_FAST = 0.97;

/**
 * The layout to use.
 *
 * @param maxLanes as many as memory holds
 * @param given what the operator asked for; lanes without threads share the cores
 */
export function chooseLayout(
  calibration: Calibration | undefined,
  cores: number,
  maxLanes: number,
  given: { readonly lanes?: number | undefined; readonly threads?: number | undefined },
): Layout {
  const threadsFor = (lanes: number): number =>
    given.threads ?? Math.max(1, Math.floor(cores / lanes));
  if (given.lanes !== undefined) {
    const lanes = Math.min(given.lanes, maxLanes);
    return { lanes, threads: threadsFor(lanes) };
  }
  const usual = Math.min(maxLanes, Math.max(1, Math.floor(cores / (given.threads ?? 1))));
  const fitting = (calibration?.layouts ?? []).filter(
    ({ lanes, threads }) =>
      lanes <= maxLanes && (given.threads === undefined || threads === given.threads),
  );
  const measured = fitting.find(({ lanes }) => lanes === usual);
  const fastest = fitting.reduce(
    (best, layout) => (layout.pairsPerSecond > best.pairsPerSecond ? layout : best),
    measured ?? { lanes: usual, threads: threadsFor(usual), pairsPerSecond: 0 },
  );
  const better = fastest.pairsPerSecond > WORTH_IT * (measured?.pairsPerSecond ?? Infinity);
  const { lanes, threads } = better
    ? fastest
    : { lanes: usual, threads: measured?.threads ?? threadsFor(usual) };
  return { lanes, threads };
}

/**
 * The batches whose scores do not depend on who else is in them: one row at its exact length, unless
 * rows of equal length were seen to change no bit here; padding only if it was seen to change none
 * either. The operator's own choice wins.
 *
 * @param dynamicallyQuantised one activation scale for a whole tensor: never batched, never padded
 */
export function chooseBatches(
  calibration: Calibration | undefined,
  dynamicallyQuantised: boolean,
  asked: {
    readonly maxBatchTokens?: number | undefined;
    readonly maxBatchSize?: number | undefined;
  },
): BatchLimits {
  const usual = batchLimits(dynamicallyQuantised, asked);
  if (dynamicallyQuantised || asked.maxBatchSize !== undefined) return usual;
  if (calibration?.rowsKeepBits !== true) {
    return { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 };
  }
  return {
    maxBatchSize: usual.maxBatchSize,
    maxBatchTokens: asked.maxBatchTokens ?? batchTokens(calibration) ?? usual.maxBatchTokens,
    maxPaddingTokens: calibration.paddingKeepsBits ? BUCKET_TOKENS : 0,
  };
}

/**
 * True if a pair's logit is known not to depend on its batch: single rows, or no more rows and
 * padding than were seen to change no bit here.
 */
export function keepsBits(calibration: Calibration | undefined, limits: BatchLimits): boolean {
  if (limits.maxBatchSize === 1) return true;
  const usualRows = batchLimits(false, {}).maxBatchSize;
  return (
    calibration?.rowsKeepBits === true &&
    limits.maxBatchSize <= usualRows &&
    (limits.maxPaddingTokens === 0 || calibration.paddingKeepsBits)
  );
}

/** Tokens of the fastest batch; of two that differ by no more than noise, the smaller one. */
function batchTokens({ rows, length }: Calibration): number | undefined {
  const fastest = Math.max(...rows.map(({ pairsPerSecond }) => pairsPerSecond));
  const chosen = rows.find(({ pairsPerSecond }) => pairsPerSecond >= fastest * AS_FAST);
  return chosen === undefined ? undefined : chosen.rows * length;
}

/** Upper bound of a batch's bytes. */
export function activationOf(calibration: Calibration | undefined): Quadratic {
  return enough(calibration?.activation)
    ? fitActivation(calibration?.activation ?? [])
    : UNMEASURED_ACTIVATION;
}

/** Milliseconds of a batch on one thread. */
export function timingOf(calibration: Calibration | undefined): Quadratic {
  return enough(calibration?.timing) ? fitTiming(calibration?.timing ?? []) : UNMEASURED_TIMING;
}

function enough(samples: readonly ShapeSample[] | undefined): boolean {
  return (samples?.length ?? 0) > 1;
}
