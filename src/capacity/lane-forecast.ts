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
  /** The same if none of them hindered another, and no other work did. */
  readonly unhindered: number;
  /** True if lanes were measured beside one another: the machine had nothing else to do. */
  readonly isMeasured: boolean;
  /** Tokens. */
  readonly length: number;
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
  const pairMs = quadraticAt(fitTiming(calibration.timing), 1, length);
  const gain = gainByRows(calibration, limits);
  const measured = togetherSpeed(calibration, layout);
  // One lane's speed, in as many lanes and threads.
  const alone = (calibration.alone ?? 1_000 / pairMs) * layout.lanes * layout.threads;
  const { readyBytes } = needs.lane;
  const laneBytes = readyBytes + LANE_HEAP_BYTES + needs.leastActivationBytes;
  return {
    ...layout,
    length,
    pairsPerSecond: (measured ?? alone) * gain,
    unhindered: alone * gain,
    isMeasured: measured !== undefined,
    bytes: Math.round(needs.baseBytes + needs.sharedBytes + layout.lanes * laneBytes),
  };
}

/** Pairs per second that were measured with one row per batch. */
function togetherSpeed({ layouts }: Calibration, { lanes, threads }: Layout): number | undefined {
  return layouts.find((one) => one.lanes === lanes && one.threads === threads)?.pairsPerSecond;
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
