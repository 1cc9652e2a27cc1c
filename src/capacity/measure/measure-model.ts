import { CALIBRATION_FORMAT, type Calibration, type Layout } from "../calibration.js";
import { quadraticAt } from "../../core/cost/quadratic.js";
import { fitTiming } from "../../core/cost/lane-cost.js";
import { measureSeries } from "./calibration-series.js";
import { compareBits, measureAlone, measureLanes, measureRows } from "./calibration-speed.js";
import { LaneProcess, type LaneProcessOptions } from "../../inference/lanes/lane-process.js";
import { readProcessMemory } from "../../inference/host/process-memory.js";

export interface CalibrateOptions extends LaneProcessOptions {
  readonly key: string;
  /** Result of `hostKey`. */
  readonly host: string;
  /** A text for people. */
  readonly modelName: string;
  readonly dynamicallyQuantised: boolean;
  /** Tokens of the longest pair that the model reads. */
  readonly highestLength: number;
  readonly cores: number;
  /** True for a model that is too small for layouts and rows to matter: memory and bits only. */
  readonly tiny: boolean;
  /** Bytes that lanes may take together while they are measured. */
  readonly roomBytes: number;
}

/** Tokens at which speeds are measured: a query with a passage. */
const SPEED_LENGTH = 128;
/** A lane of one thread that has work all the time and gets less of a core shares it with others. */
const MIN_BUSY_SHARE = 0.8;

/**
 * Measures a model on real lanes: what a lane takes, what runs of several shapes take and how long,
 * whether batching changes bits, and which number of lanes and threads scores the most.
 *
 * The first lane is measured alone and then serves as the first of the layouts; all are gone when it
 * returns.
 *
 * @throws RankmillError `lane_failed`, `model_unusable`, `missing_dependency`
 */
export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  const started = performance.now();
  const open = new Lanes(options);
  try {
    const lane = await open.another(1);
    const { readyBytes } = lane;
    const openPeakBytes = Math.max(readyBytes, readProcessMemory(lane.pid)?.peakBytes ?? 0);
    const { highestLength, dynamicallyQuantised } = options;
    const { activation, timing } = await measureSeries(lane, {
      highestLength,
      severalRows: !dynamicallyQuantised,
      roomBytes: options.roomBytes - readyBytes,
      openPeakBytes,
    });
    const length = Math.min(SPEED_LENGTH, highestLength);
    const pairMs = quadraticAt(fitTiming(timing), 1, length);
    const alone = await measureAlone(lane, length, pairMs);
    const bits = dynamicallyQuantised
      ? { rowsKeepBits: false, paddingKeepsBits: false }
      : await compareBits(lane, highestLength, pairMs, options.model.unmasked !== true);
    const measured = bits.rowsKeepBits && !options.tiny;
    const rows = measured ? await measureRows(lane, length, pairMs) : [];
    const layouts = options.tiny
      ? []
      : await measureLayouts(options, open, openPeakBytes, {
          length,
          pairMs,
        });
    return {
      format: CALIBRATION_FORMAT,
      key: options.key,
      model: options.modelName,
      host: options.host,
      measuredAt: new Date().toISOString(),
      tookMs: Math.round(performance.now() - started),
      lane: { readyBytes, openPeakBytes },
      activation,
      timing,
      length,
      alone,
      rows,
      ...bits,
      layouts,
    };
  } finally {
    await open.close();
  }
}

/**
 * The usual layout first. If another seems faster all are measured once more, and each counts with
 * its better time: what comes first may run while files that were just written still go to the disk.
 *
 * @returns nothing if the machine is too busy with other work to tell
 */
async function measureLayouts(
  options: CalibrateOptions,
  open: Lanes,
  laneBytes: number,
  pair: { readonly length: number; readonly pairMs: number },
): Promise<Calibration["layouts"]> {
  const once = await measureEach(options, open, laneBytes, pair);
  const usual = once[0]?.pairsPerSecond ?? Infinity;
  if (!once.some(({ pairsPerSecond }) => pairsPerSecond > usual)) return once;
  const again = await measureEach(options, open, laneBytes, pair);
  return once.map((layout, i) => ({
    ...layout,
    pairsPerSecond: Math.max(layout.pairsPerSecond, again[i]?.pairsPerSecond ?? 0),
  }));
}

async function measureEach(
  options: CalibrateOptions,
  open: Lanes,
  laneBytes: number,
  pair: { readonly length: number; readonly pairMs: number },
): Promise<Calibration["layouts"]> {
  const layouts: Calibration["layouts"] = [];
  for (const layout of candidates(options, laneBytes)) {
    const lanes = await open.exactly(layout);
    const { pairsPerSecond, busyShare } = await measureLanes(lanes, pair.length, pair.pairMs);
    if (layout.threads === 1 && busyShare < MIN_BUSY_SHARE) return [];
    layouts.push({ ...layout, pairsPerSecond });
  }
  return layouts;
}

/** One thread in each of as many lanes as there are cores, or as memory holds; and all in one. */
function candidates({ cores, roomBytes }: CalibrateOptions, laneBytes: number): Layout[] {
  const most = Math.max(1, Math.min(cores, Math.floor(roomBytes / laneBytes)));
  if (cores === 1) return [];
  const all: Layout[] = [{ lanes: most, threads: Math.floor(cores / most) }];
  if (most > 1) all.push({ lanes: 1, threads: cores });
  return all;
}

/** The lanes that are open for measuring. */
class Lanes {
  readonly #options: CalibrateOptions;
  #lanes: { readonly lane: LaneProcess; readonly threads: number }[] = [];

  constructor(options: CalibrateOptions) {
    this.#options = options;
  }

  async another(threads: number): Promise<LaneProcess> {
    const { model } = this.#options;
    const lane = await LaneProcess.start(this.#lanes.length, {
      ...this.#options,
      model: { ...model, intraOpThreads: threads },
      calibrating: true,
    });
    this.#lanes.push({ lane, threads });
    return lane;
  }

  /** Opens and ends lanes until these are open. */
  async exactly({ lanes, threads }: Layout): Promise<LaneProcess[]> {
    const kept = this.#lanes.filter((open) => open.threads === threads).slice(0, lanes);
    const ended = this.#lanes.filter((open) => !kept.includes(open));
    this.#lanes = kept;
    await Promise.all(ended.map(({ lane }) => lane.drain("measured")));
    const missing = Array.from({ length: lanes - kept.length }, () => this.another(threads));
    await Promise.all(missing);
    return this.#lanes.map(({ lane }) => lane);
  }

  async close(): Promise<void> {
    await this.exactly({ lanes: 0, threads: 0 });
  }
}
