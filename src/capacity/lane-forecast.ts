/** The speed and the memory of a worker's lanes, from what was measured of one. */
import { fitTiming } from "../core/cost/lane-cost.js";
import { quadraticAt } from "../core/cost/quadratic.js";
import type { BatchLimits } from "../pipeline/batch/batch-plan.js";
import type { Calibration, Layout } from "./calibration.js";
import type { LaneNeeds } from "./divide-memory.js";
import { LANE_HEAP_BYTES } from "./memory-plan.js";

export interface LaneForecast extends Layout {
  /** Of all lanes together, pairs of `length` tokens. */
  readonly pairsPerSecond: number;
  /** Tokens. */
  readonly length: number;
  /** The time of a pair of so many tokens in multiples of one of `length`. */
  readonly relativeTime: (tokens: number) => number;
  /** Bytes of the worker and its lanes while each runs an ordinary pair. */
  readonly bytes: number;
}

export function forecastLanes(
  calibration: Calibration,
  layout: Layout,
  limits: BatchLimits,
  needs: LaneNeeds,
): LaneForecast {
  const { length } = calibration;
  const timing = fitTiming(calibration.timing);
  const pairMs = quadraticAt(timing, 1, length);
  const { readyBytes } = needs.lane;
  const laneBytes = readyBytes + LANE_HEAP_BYTES + needs.leastActivationBytes;
  return {
    ...layout,
    length,
    pairsPerSecond: speedOf(calibration, layout, pairMs) * gainByRows(calibration, limits),
    relativeTime: (tokens) => quadraticAt(timing, 1, tokens) / pairMs,
    bytes: Math.round(needs.baseBytes + needs.sharedBytes + layout.lanes * laneBytes),
  };
}

/** Measured with one row per batch; computed from one thread's time where layouts were not compared. */
function speedOf({ layouts }: Calibration, { lanes, threads }: Layout, pairMs: number): number {
  const measured = layouts.find((one) => one.lanes === lanes && one.threads === threads);
  return measured?.pairsPerSecond ?? (lanes * threads * 1_000) / pairMs;
}

/** The speed of the fastest batch that is allowed, in multiples of that of single rows. */
function gainByRows({ rows, length }: Calibration, limits: BatchLimits): number {
  const single = rows.find((one) => one.rows === 1)?.pairsPerSecond;
  if (single === undefined) return 1;
  const allowed = rows.filter(
    (one) => one.rows <= limits.maxBatchSize && one.rows * length <= limits.maxBatchTokens,
  );
  return Math.max(single, ...allowed.map(({ pairsPerSecond }) => pairsPerSecond)) / single;
}
