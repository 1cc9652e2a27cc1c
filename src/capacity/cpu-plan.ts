/**
 * Decides how a worker's lanes run: how many, with how many threads and which batches, and in how
 * much memory. From the calibration of the model on this host, the memory limit, and what the
 * operator asked for; explained in the log.
 */
import { stat } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Logger } from "pino";
import { ActivationBudget } from "../core/cost/activation-budget.js";
import {
  activationOf,
  chooseBatches,
  chooseLayout,
  keepsBits,
  timingOf,
  type Calibration,
} from "./calibration.js";
import { describeError, RankmillError } from "../core/errors.js";
import { deadlineMs, UNMEASURED_TIMING, type BatchShape } from "../core/cost/lane-cost.js";
import { marginBytes, planMemory, tokenCacheBytes, type MemoryNeeds } from "./memory-plan.js";
import { saysOutOfMemory } from "../core/cost/out-of-memory.js";
import { PAYLOAD_MEMORY_FACTOR, PayloadMemory } from "./payload-memory.js";
import { quadraticAt, type Quadratic } from "../core/cost/quadratic.js";
import { calibrate } from "./measure/measure-model.js";
import {
  calibrationKey,
  hostKey,
  readCalibration,
  writeCalibration,
} from "./measure/calibration-file.js";
import { readCpuFeatures } from "../inference/host/cpu-features.js";
import { usableCores } from "../inference/host/host.js";
import type { LaneModel } from "../inference/lanes/lane-protocol.js";
import { memoryLimit, oomKills, type MemoryLimit } from "../inference/host/memory-limit.js";
import { DATA_NAME, runtimeVersion } from "../inference/prepare/prepare-key.js";
import { MIN_PREPARE_BYTES } from "../inference/prepare/prepare-model.js";
import { ownPrivateBytes } from "../inference/host/process-memory.js";
import type { ResolvedModel } from "../models/resolve.js";
import type { BatcherOptions } from "../pipeline/batch/batcher.js";
import type { BatcherMemory } from "../pipeline/batch/batch-memory.js";
import { sayQuantisedGain } from "./quantised-gain.js";

/** What an operator may say about it. */
export interface LanePlanOptions {
  readonly lanes?: number | undefined;
  readonly threads?: number | undefined;
  readonly maxBatchTokens?: number | undefined;
  readonly maxBatchSize?: number | undefined;
  /** Default: the control group's limit, else what the host has. */
  readonly memoryLimitBytes?: number | undefined;
  /** Holds a file a calibration; nothing is measured or kept where absent. */
  readonly calibrationDir?: string | undefined;
  /** For tokens of texts that come again; less where memory is short. None where absent. */
  readonly tokenCacheBytes?: number | undefined;
}

export interface LanePlanRequest extends LanePlanOptions {
  readonly model: ResolvedModel;
  /** As the lanes load it; its thread count is decided here. */
  readonly laneModel: LaneModel;
  readonly laneEntryPath: string;
  readonly openTimeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly maxJobBytes: number;
  readonly logger: Logger;
}

export interface LanePlan {
  readonly lanes: number;
  readonly threads: number;
  readonly limits: BatcherOptions["limits"];
  /** How much travels to a lane at once, where a device wants more of it than a CPU. */
  readonly messages?: Partial<BatcherOptions> | undefined;
  /** Hears of a shape that a lane could not run when it was warmed up. */
  readonly onTooLarge?: ((shape: BatchShape) => void) | undefined;
  /** True where no bit of a score depends on its batch. */
  readonly keepsBits: boolean;
  readonly memory: BatcherMemory;
  readonly deadlineMs: (batches: readonly BatchShape[]) => number;
  /** What a batch takes; undefined where it was not measured. */
  readonly batchMs: ((rows: number, longest: number) => number) | undefined;
  readonly payloads: PayloadMemory;
  /** What all of it was planned within, and what the lanes map together of the model. */
  readonly memoryLimitBytes: number;
  readonly sharedBytes: number;
  readonly tokenCacheBytes: number;
  /** Larger jobs do not fit the memory limit. */
  readonly maxJobBytes: number;
}

const MIB = 1024 * 1024;
/**
 * What the worker's process grows by at work: young generation, tokens and answers of the jobs in
 * flight, and some 100 MB that a tokenizer's library holds until its thread's collector comes by.
 */
export const BASE_GROWTH_BYTES = 160 * MIB;
/** Requests in hand: at least as much as a job of some megabytes takes, and no more than helps. */
export const LEAST_PAYLOAD_BYTES = 48 * MIB;
export const MOST_PAYLOAD_BYTES = 768 * MIB;
/** Every lane must be able to run a pair of this many tokens beside the others. */
export const ORDINARY_TOKENS = 512;
/** Of a lane that was never measured: Node with the native runtime. */
export const BARE_LANE_BYTES = 120 * MIB;
/** What an unprepared model takes, of its file's size: packed weights beside the others, and the file while it is read. */
const UNMEASURED_WEIGHTS_FACTOR = 1.5;
const UNMEASURED_OPEN_FACTOR = 2.2;

const UNSURE = "lanes not compared, for the machine was busy";

/**
 * @throws RankmillError `memory_too_small` with what is needed; whatever opening the first lane gives
 */
export async function planLanes(request: LanePlanRequest): Promise<LanePlan> {
  const { model, laneModel, logger } = request;
  const cores = await usableCores();
  const limit = await memoryLimit(request.memoryLimitBytes);
  if (limit.killedWhole === true) {
    logger.info(
      "the kernel kills this container whole where one process exceeds its limit (memory.oom.group): planning for a tenth less",
    );
  }
  const sharedBytes = await sharedBytesOf(laneModel);
  const baseBytes = ownPrivateBytes() + BASE_GROWTH_BYTES;
  const roomBytes = limit.bytes - marginBytes(limit.bytes) - baseBytes - sharedBytes;
  const bareBytes = BARE_LANE_BYTES + (laneModel.prepared === true ? 0 : model.file.bytes);
  if (request.calibrationDir !== undefined && roomBytes < bareBytes) {
    throw tooSmall(limit, baseBytes + sharedBytes + bareBytes, request);
  }
  const calibration = await calibrationOrGuess(request, cores, roomBytes, limit);
  const activation = activationOf(calibration);
  const ordinary = Math.min(ORDINARY_TOKENS, model.maxLength.default);
  const needs: MemoryNeeds = {
    limitBytes: limit.bytes,
    baseBytes,
    sharedBytes,
    payload: {
      least: Math.min(LEAST_PAYLOAD_BYTES, request.maxJobBytes * PAYLOAD_MEMORY_FACTOR),
      most: MOST_PAYLOAD_BYTES,
    },
    lane: calibration?.lane ?? unmeasuredLane(request),
    wantedLanes: request.lanes ?? cores,
    leastActivationBytes: quadraticAt(activation, 1, ordinary),
  };
  const room = planMemory(needs);
  if (room.status === "too-small") throw tooSmall(limit, room.neededBytes, request);
  const layout = chooseLayout(calibration, cores, room.lanes, request);
  // Fewer lanes than memory holds leave more of it to each.
  const fitted = planMemory({ ...needs, wantedLanes: layout.lanes });
  const { activationBytes: leftBytes, payloadBytes } = fitted.status === "fits" ? fitted : room;
  const spareBytes = leftBytes - layout.lanes * needs.leastActivationBytes;
  const forTokensBytes = tokenCacheBytes(request.tokenCacheBytes ?? 0, spareBytes);
  const activationBytes = leftBytes - forTokensBytes;
  const limits = chooseBatches(calibration, model.file.dynamicallyQuantised, request);
  const budget = new ActivationBudget(activationBytes, layout.lanes, needs.leastActivationBytes);
  const timing = timingOf(calibration);
  const maxJobBytes = Math.min(
    request.maxJobBytes,
    Math.floor(payloadBytes / PAYLOAD_MEMORY_FACTOR),
  );
  logger.info(
    {
      ...layout,
      cores,
      maxBatchSize: limits.maxBatchSize,
      maxBatchTokens: limits.maxBatchTokens,
      maxPaddingTokens: limits.maxPaddingTokens,
      memoryLimitBytes: limit.bytes,
      memoryLimitFrom: limit.source,
      baseBytes,
      sharedBytes,
      laneBytes: needs.lane.readyBytes,
      activationBytes,
      payloadBytes,
      tokenCacheBytes: forTokensBytes,
    },
    explain(layout, limits.maxBatchSize, cores, calibration, request),
  );
  if (room.lanes < needs.wantedLanes) {
    logger.warn(
      `${room.lanes} instead of ${needs.wantedLanes} lanes: the memory limit of ${mib(limit.bytes)} (${limit.source}) holds no more`,
    );
  }
  if (maxJobBytes < request.maxJobBytes) {
    logger.warn(
      { maxJobBytes },
      `jobs over ${maxJobBytes} bytes are refused: the memory limit of ${mib(limit.bytes)} (${limit.source}) holds no larger ones`,
    );
  }
  return {
    ...layout,
    limits,
    keepsBits: keepsBits(calibration, limits),
    memory: batcherMemory(budget, activation, logger),
    deadlineMs: (batches) => deadlineMs(timing, batches),
    batchMs:
      timing === UNMEASURED_TIMING
        ? undefined
        : (rows, longest) => quadraticAt(timing, rows, longest),
    payloads: new PayloadMemory(payloadBytes, garbageCollector()),
    memoryLimitBytes: limit.bytes,
    sharedBytes,
    tokenCacheBytes: forTokensBytes,
    maxJobBytes,
  };
}

/**
 * A lane that dies while it is measured costs the calibration, not the worker, unless it died for
 * want of memory: then none can work.
 */
async function calibrationOrGuess(
  request: LanePlanRequest,
  cores: number,
  roomBytes: number,
  limit: MemoryLimit,
): Promise<Calibration | undefined> {
  const killsBefore = await oomKills();
  try {
    return await calibrationOf(request, cores, roomBytes);
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "lane_failed") throw error;
    if (((await oomKills()) ?? 0) > (killsBefore ?? 0)) {
      throw new RankmillError(
        "memory_too_small",
        `a lane was killed for want of memory while ${request.model.name} ${request.model.precision} was measured: raise the memory limit of ${mib(limit.bytes)} (${limit.source}), or choose a smaller model or precision`,
        { cause: error },
      );
    }
    request.logger.warn(`not calibrated: ${error.message}`);
    return undefined;
  }
}

/** @returns undefined where none is wanted */
async function calibrationOf(
  request: LanePlanRequest,
  cores: number,
  roomBytes: number,
): Promise<Calibration | undefined> {
  const { calibrationDir: dir, model, laneModel, logger } = request;
  if (dir === undefined) return undefined;
  const cpu = await readCpuFeatures();
  const key = calibrationKey({
    modelDigest: model.digest,
    precision: model.precision,
    prepared: laneModel.prepared ?? false,
    runtime: await runtimeVersion(),
    cpu,
    cores,
  });
  const host = hostKey(cpu, cores);
  const kept = await readCalibration(dir, key);
  if (kept !== undefined) {
    await sayQuantisedGain(kept, model, dir, host, logger);
    return kept;
  }
  const tiny = model.file.bytes < MIN_PREPARE_BYTES;
  if (!tiny) logger.info("calibrating the model on this host, once");
  const measured = await calibrate({
    key,
    host,
    modelName: `${model.name} ${model.precision}`,
    model: laneModel,
    entryPath: request.laneEntryPath,
    env: request.env,
    openTimeoutMs: request.openTimeoutMs,
    dynamicallyQuantised: model.file.dynamicallyQuantised,
    highestLength: model.maxLength.highest,
    cores,
    tiny,
    roomBytes,
  });
  await sayQuantisedGain(measured, model, dir, host, logger);
  try {
    const path = await writeCalibration(dir, measured);
    logger.info({ path, tookMs: measured.tookMs }, "calibrated");
  } catch (error) {
    logger.warn(`the calibration cannot be kept: ${describeError(error).message}`);
  }
  return measured;
}

function explain(
  { lanes, threads }: { readonly lanes: number; readonly threads: number },
  rows: number,
  cores: number,
  calibration: Calibration | undefined,
  request: LanePlanRequest,
): string {
  const chosen = `${lanes} lane${lanes === 1 ? "" : "s"} × ${threads} thread${threads === 1 ? "" : "s"} on ${cores} cores, ${rows === 1 ? "1 row" : `up to ${rows} rows`} a batch`;
  if (calibration === undefined) return `${chosen}: not calibrated`;
  const speeds = calibration.layouts.map(
    (layout) => `${layout.lanes} × ${layout.threads}: ${layout.pairsPerSecond.toFixed(1)} pairs/s`,
  );
  const why = request.model.file.dynamicallyQuantised
    ? "dynamic int8 is never batched"
    : calibration.rowsKeepBits
      ? calibration.rows
          .map(
            (one) =>
              `${one.rows} row${one.rows === 1 ? "" : "s"}: ${one.pairsPerSecond.toFixed(0)} pairs/s`,
          )
          .join(", ")
      : "batches would change scores in the last bits";
  const unsure = request.model.file.bytes >= MIN_PREPARE_BYTES && cores > 1 && speeds.length === 0;
  const parts = [unsure ? UNSURE : speeds.join(", "), why].filter((part) => part !== "");
  return parts.length === 0
    ? chosen
    : `${chosen} (at ${calibration.length} tokens: ${parts.join("; ")})`;
}

export function batcherMemory(
  budget: ActivationBudget,
  activation: Quadratic,
  logger: Logger,
): BatcherMemory {
  let killsSeen = oomKills();
  return {
    budget,
    activation,
    ranOutOfMemory: async (error) => {
      if (saysOutOfMemory(describeError(error).message)) return true;
      const before = await killsSeen;
      killsSeen = oomKills();
      const now = await killsSeen;
      return now !== undefined && before !== undefined && now > before;
    },
    onLowered: (capacityBytes) => {
      logger.warn(
        { activationBytes: capacityBytes },
        "a lane ran out of memory: less of it is used for activations from now on",
      );
    },
  };
}

async function sharedBytesOf({ prepared, onnxPath }: LaneModel): Promise<number> {
  if (prepared !== true) return 0;
  const data = onnxPath.replace(/[^/\\]+$/, DATA_NAME);
  const sizes = await Promise.all([onnxPath, data].map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function unmeasuredLane({ model, laneModel }: LanePlanRequest): MemoryNeeds["lane"] {
  const weights = laneModel.prepared === true ? 0 : model.file.bytes;
  return {
    readyBytes: BARE_LANE_BYTES + weights * UNMEASURED_WEIGHTS_FACTOR,
    openPeakBytes: BARE_LANE_BYTES + weights * UNMEASURED_OPEN_FACTOR,
  };
}

export function tooSmall(
  limit: MemoryLimit,
  neededBytes: number,
  { model, laneModel }: LanePlanRequest,
): RankmillError {
  const hint =
    laneModel.prepared === true ? "" : ", prepare the model so that its weights are shared,";
  return new RankmillError(
    "memory_too_small",
    `the memory limit of ${mib(limit.bytes)} (${limit.source}) is too small for ${model.name} ${model.precision}: one lane needs ${mib(neededBytes)}; raise the limit${hint} or choose a smaller model or precision`,
  );
}

export function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}

/** V8's own, which a program may ask for once it is exposed. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as unknown;
  return typeof collect === "function" ? (collect as () => void) : () => undefined;
}
