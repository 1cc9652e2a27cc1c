import type { Calibration } from "../calibration.js";
import { madeUpPair, sameBits } from "./calibration-pairs.js";
import type { LaneProcess } from "../../inference/lanes/lane-process.js";
import { readProcessorMs } from "../../inference/host/processor-time.js";

/** Rows per batch whose speed is measured, ascending; a CPU gains nothing beyond. */
const ROWS = [1, 2, 4, 8] as const;
const MOST_ROWS = 8;

/** Lengths at which bits are compared: below, at and above the blocks that kernels work in. */
interface Probes {
  readonly lengths: readonly number[];
  readonly rows: readonly number[];
  readonly paddings: readonly number[];
}
const PROBES: Probes = {
  lengths: [9, 16, 33, 64, 100, 128],
  rows: [2, 3, 5, 8],
  paddings: [1, 3, 8],
};
/** Rows that are probed of a model that takes long. Others are not used. */
const FEW_PROBES: Probes = { lengths: [9, 33], rows: [2, 8], paddings: [] };
/** A model whose pairs take longer gains little by rows, and measuring it would take long. */
const ROWS_WORTH_BELOW_MS = 40;
const ROWS_WINDOW_MS = 400;
const LAYOUT_WINDOW_MS = 700;
/** The processor's clock ticks every 10 ms. */
const ALONE_USED_MS = 400;
/** Patience with a machine that has other things to do. */
const ALONE_WALL_MS = 4_000;
/** A message that takes longer would make a lane miss most of the window. */
const MESSAGE_MS = 250;
/** Below it the clock's ticks say little. */
const MIN_SHARE = 0.1;

/**
 * Whether batches of several rows, and padding, leave a pair's logit as it is alone, to the bit.
 *
 * @param pairMs milliseconds of one pair as long as speeds are measured at
 * @param mayPad false if the model cannot take rows of several lengths
 */
export async function compareBits(
  lane: LaneProcess,
  highestLength: number,
  pairMs: number,
  mayPad: boolean,
): Promise<Pick<Calibration, "rowsKeepBits" | "paddingKeepsBits">> {
  const wanted = pairMs > ROWS_WORTH_BELOW_MS ? FEW_PROBES : PROBES;
  const probes = mayPad ? wanted : { ...wanted, paddings: [] };
  let rowsKeepBits = true;
  let paddingKeepsBits = probes.paddings.length > 0;
  for (const length of probes.lengths) {
    if (length + Math.max(0, ...probes.paddings) > highestLength) continue;
    const shared = length >> 1;
    const pairs = Array.from({ length: MOST_ROWS }, (_, seed) => madeUpPair(length, seed, shared));
    const alone = (await lane.score(pairs.map((pair) => [pair]))).flat();
    for (const rows of probes.rows) {
      const [together = []] = await lane.score([pairs.slice(0, rows)]);
      rowsKeepBits &&= sameBits(together, alone.slice(0, rows));
    }
    for (const padding of probes.paddings) {
      const longer = madeUpPair(length + padding, MOST_ROWS, shared);
      const [padded = []] = await lane.score([[...pairs, longer]]);
      paddingKeepsBits &&= sameBits(padded.slice(0, MOST_ROWS), alone);
    }
  }
  return { rowsKeepBits, paddingKeepsBits };
}

/**
 * Pairs per second of one lane by rows per batch.
 *
 * @param pairMs milliseconds of one pair of `length` tokens; long ones are not worth the time
 */
export async function measureRows(
  lane: LaneProcess,
  length: number,
  pairMs: number,
): Promise<Calibration["rows"]> {
  if (pairMs > ROWS_WORTH_BELOW_MS) return [];
  const measured: Calibration["rows"] = [];
  for (const rows of ROWS) {
    const batch = Array.from({ length: rows }, (_, seed) => madeUpPair(length, seed));
    const message = Array.from({ length: MOST_ROWS / rows }, () => batch);
    const { pairsPerSecond, busyShare } = await speedOf([lane], message, ROWS_WINDOW_MS);
    // The lane's own processor time counts: other work of the machine is not the batch's fault.
    measured.push({ rows, pairsPerSecond: pairsPerSecond / Math.max(busyShare, MIN_SHARE) });
  }
  return measured;
}

/**
 * Pairs per second of a lane of one thread that has a processor for itself: by the processor's time, so that other work
 * of the machine is not the model's fault.
 */
export async function measureAlone(
  lane: LaneProcess,
  length: number,
  pairMs: number,
): Promise<number> {
  const pairs = Math.max(1, Math.min(MOST_ROWS, Math.floor(MESSAGE_MS / pairMs)));
  const message = Array.from({ length: pairs }, (_, seed) => [madeUpPair(length, seed)]);
  await lane.score(message);
  const usedBefore = readProcessorMs(lane.pid);
  const started = performance.now();
  for (let done = pairs; ; done += pairs) {
    await lane.score(message);
    const wallMs = performance.now() - started;
    const usedMs =
      usedBefore === undefined ? wallMs : (readProcessorMs(lane.pid) ?? 0) - usedBefore;
    if (usedMs >= ALONE_USED_MS) return (done * 1_000) / usedMs;
    if (wallMs >= ALONE_WALL_MS) return (done * 1_000) / Math.max(usedMs, 1);
  }
}

/** Pairs per second of all `lanes` at work together, one row per batch. */
export async function measureLanes(
  lanes: readonly LaneProcess[],
  length: number,
  pairMs: number,
): Promise<Speed> {
  const pairs = Math.max(1, Math.min(MOST_ROWS, Math.floor(MESSAGE_MS / pairMs)));
  const message = Array.from({ length: pairs }, (_, seed) => [madeUpPair(length, seed)]);
  return await speedOf(lanes, message, Math.max(LAYOUT_WINDOW_MS, 2 * pairMs));
}

interface Speed {
  readonly pairsPerSecond: number;
  /** Share of the wall's time that the lanes' processors had; 1 if the system does not say. */
  readonly busyShare: number;
}

/** The first message of each lane is not counted. */
async function speedOf(
  lanes: readonly LaneProcess[],
  message: Parameters<LaneProcess["score"]>[0],
  windowMs: number,
): Promise<Speed> {
  await Promise.all(lanes.map((lane) => lane.score(message)));
  const usedBefore = lanes.map(({ pid }) => readProcessorMs(pid));
  const started = performance.now();
  const pairs = message.flat().length;
  const speeds = await Promise.all(
    lanes.map(async (lane, index) => {
      let done = 0;
      do {
        await lane.score(message);
        done += pairs;
      } while (performance.now() - started < windowMs);
      // Each by its own clock: the last messages of the lanes do not end together.
      const ms = performance.now() - started;
      const used = (readProcessorMs(lane.pid) ?? Number.NaN) - (usedBefore[index] ?? Number.NaN);
      return { perSecond: (done * 1000) / ms, share: Number.isNaN(used) ? 1 : used / ms };
    }),
  );
  return {
    pairsPerSecond: speeds.reduce((sum, { perSecond }) => sum + perSecond, 0),
    busyShare: speeds.reduce((sum, { share }) => sum + share, 0) / lanes.length,
  };
}
