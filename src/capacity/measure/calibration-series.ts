import { quadraticAt, type ShapeSample } from "../../core/cost/quadratic.js";
import { fitActivation } from "../../core/cost/activation-fit.js";
import { fitTiming, type BatchShape } from "../../core/cost/lane-cost.js";
import { madeUpPair } from "./calibration-pairs.js";
import type { LaneProcess } from "../../inference/lanes/lane-process.js";
import { readProcessMemory } from "../../inference/host/process-memory.js";

/** Ascending in what they take: the runtime's arena never gives back. */
const SINGLE_ROW_LENGTHS = [16, 64, 256, 512] as const;
const SEVERAL_ROWS: readonly BatchShape[] = [
  { rows: 4, length: 64 },
  { rows: 4, length: 256 },
];
/** No single batch of the series may take longer: "a few seconds" for all of it. */
const MAX_RUN_MS = 4_000;
/** A batch this long is not repeated: the cost of being the first is a small part of it. */
const REPEATED_BELOW_MS = 1_000;
/** Factor by which an estimate from shorter shapes may be wrong before a shape is tried. */
const ROOM_FACTOR = 1.5;

export interface SeriesOptions {
  readonly highestLength: number;
  /** True if batches of several rows are worth knowing. */
  readonly severalRows: boolean;
  /** Bytes that the lane may grow by. */
  readonly roomBytes: number;
  /** The most that the lane took while it opened. */
  readonly openPeakBytes: number;
}

export interface Series {
  readonly activation: ShapeSample[];
  readonly timing: ShapeSample[];
}

/**
 * Runs shapes in ascending order and reads after each the growth of the lane and the time of its
 * second batch. A shape that would take too long or does not fit is left out.
 *
 * @throws RankmillError `lane_failed` if the lane died of it
 */
export async function measureSeries(lane: LaneProcess, options: SeriesOptions): Promise<Series> {
  const activation: ShapeSample[] = [];
  const timing: ShapeSample[] = [];
  for (const shape of shapesFor(options)) {
    const { rows, length } = shape;
    if (activation.length > 1) {
      const expectedMs = quadraticAt(fitTiming(timing), rows, length);
      const expectedBytes = quadraticAt(fitActivation(activation), rows, length) * ROOM_FACTOR;
      if (expectedMs > MAX_RUN_MS || expectedBytes > options.roomBytes) continue;
    }
    const batch = Array.from({ length: rows }, (_, seed) => madeUpPair(length, seed));
    const firstMs = await timed(() => lane.score([batch]));
    const ms = firstMs < REPEATED_BELOW_MS ? await timed(() => lane.score([batch])) : firstMs;
    timing.push({ ...shape, value: ms });
    activation.push({ ...shape, value: grownBytes(lane, options.openPeakBytes) });
  }
  return { activation, timing };
}

function shapesFor({ highestLength, severalRows }: SeriesOptions): BatchShape[] {
  const lengths = new Set(SINGLE_ROW_LENGTHS.map((length) => Math.min(length, highestLength)));
  const single = [...lengths, highestLength].map((length) => ({ rows: 1, length }));
  const several = severalRows ? SEVERAL_ROWS.filter(({ length }) => length <= highestLength) : [];
  const all = [...single, ...several].filter(
    ({ rows, length }, index, shapes) =>
      shapes.findIndex((other) => other.rows === rows && other.length === length) === index,
  );
  return all.sort((a, b) => cost(a) - cost(b));
}

function cost({ rows, length }: BatchShape): number {
  return rows * length * length;
}

/** Memory that a batch took and gave back at once shows in the peak, unless opening took more. */
function grownBytes(lane: LaneProcess, openPeakBytes: number): number {
  const peak = readProcessMemory(lane.pid)?.peakBytes ?? 0;
  return peak > openPeakBytes ? Math.max(lane.grownBytes, peak - lane.readyBytes) : lane.grownBytes;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
