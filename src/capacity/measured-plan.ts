/**
 * Decides how a worker's lanes run on a device that shares the host's memory: from the calibration of
 * the model on this host, the memory limit, and what the operator asked for.
 */
import { stat } from "node:fs/promises";
import { ActivationBudget } from "../core/cost/activation-budget.js";
import { passingBytes, type PrefixCost } from "../core/cost/prefix-cost.js";
import { quadraticAt } from "../core/cost/quadratic.js";
import { usableCores } from "../inference/host/host.js";
import { memoryLimit } from "../inference/host/memory-limit.js";
import { runtimeOf } from "../inference/runtime/registry.js";
import { DATA_NAME } from "../inference/prepare/prepare-key.js";
import { assemblePlan } from "./assemble-plan.js";
import { calibrationOrGuess } from "./calibrate-once.js";
import { activationOf, chooseBatches, chooseLayout, keepsBits, timingOf } from "./calibration.js";
import type { Layout } from "./calibration.js";
import { BARE_LANE_BYTES, baseBytes, divideMemory, ordinaryTokens } from "./divide-memory.js";
import { tooSmall, type Division, type LaneNeeds } from "./divide-memory.js";
import { explainPlan } from "./explain-plan.js";
import { forecastLanes } from "./lane-forecast.js";
import type { LanePlan, LanePlanRequest } from "./lane-plan.js";
import { marginBytes, tokenCacheBytes } from "./memory-plan.js";
import { prefixBytesPerLane } from "./prefix-memory.js";

/** Memory of an unprepared model, in sizes of its file: packed weights beside the others, and the file while it is read. */
const UNMEASURED_WEIGHTS_FACTOR = 1.5;
const UNMEASURED_OPEN_FACTOR = 2.2;

/** @throws RankmillError `memory_too_small`; whatever opening the first lane gives */
export async function planFromMeasurements(request: LanePlanRequest): Promise<LanePlan> {
  const { model, laneModel, logger } = request;
  const cores = await usableCores();
  const limit = await memoryLimit(request.memoryLimitBytes);
  if (limit.killedWhole === true) {
    logger.info(
      "the kernel kills this container whole if one process exceeds its limit (memory.oom.group): planning for a tenth less",
    );
  }
  const sharedBytes = await sharedBytesOf(request);
  const base = baseBytes(request);
  const roomBytes = limit.bytes - marginBytes(limit.bytes) - base - sharedBytes;
  const bareBytes = BARE_LANE_BYTES + (laneModel.prepared === true ? 0 : model.file.bytes);
  if (request.calibrationDir !== undefined && roomBytes < bareBytes) {
    throw tooSmall(limit, base + sharedBytes + bareBytes, request);
  }
  const calibration = await calibrationOrGuess(request, { cores, roomBytes, limit });
  const activation = activationOf(calibration);
  const wantedLanes = request.lanes ?? cores;
  const prefixBytes = prefixBytesPerLane(request, roomBytes / wantedLanes);
  const prefixes = prefixCost(request, prefixBytes);
  const keptBytes = keptBytesOf(request);
  const tokens = ordinaryTokens(request);
  const needs: LaneNeeds = {
    baseBytes: base,
    sharedBytes,
    lane: withRoom(calibration?.lane ?? unmeasuredLane(request), prefixBytes + keptBytes),
    wantedLanes,
    leastActivationBytes: quadraticAt(activation, 1, tokens) + passingBytes(prefixes, tokens),
  };
  const room = divideMemory(request, limit, needs);
  const layout = chooseLayout(calibration, cores, room.lanes, request);
  // Fewer lanes than memory holds leave more of it to each.
  const fitted = divideMemory(request, limit, { ...needs, wantedLanes: layout.lanes });
  const { activationBytes, forTokensBytes } = shareOut(request, fitted, layout, needs);
  const limits = {
    ...chooseBatches(calibration, model.dynamicallyQuantised, request),
    lengthBuckets: laneModel.lengthBuckets,
  };
  return assemblePlan(request, {
    limit,
    lanes: layout.lanes,
    wantedLanes: needs.wantedLanes,
    heldLanes: room.lanes,
    laneModel: { intraOpThreads: layout.threads, prefixBytes },
    limits,
    keepsBits: keepsBits(calibration, limits),
    budget: new ActivationBudget(
      activationBytes,
      layout.lanes,
      needs.leastActivationBytes,
      keptBytes,
    ),
    activation,
    prefixes,
    timing: timingOf(calibration),
    forecast: calibration && forecastLanes(calibration, layout, limits, needs),
    payloadBytes: fitted.payloadBytes,
    tokenCacheBytes: forTokensBytes,
    sharedBytes,
    line: explainPlan(layout, limits.maxBatchSize, cores, calibration, model),
    figures: {
      cores,
      maxPaddingTokens: limits.maxPaddingTokens,
      baseBytes: base,
      sharedBytes,
      laneBytes: needs.lane.readyBytes,
      prefixBytes,
      activationBytes,
    },
  });
}

function prefixCost({ model }: LanePlanRequest, keptBytes: number): PrefixCost | undefined {
  const { prefixBytesPerToken: bytesPerToken } = model.file;
  return bytesPerToken === undefined ? undefined : { bytesPerToken, keptBytes };
}

/** A lane has room from its start for prefixes, and for what a runtime will keep of lengths. */
function withRoom(lane: LaneNeeds["lane"], bytes: number): LaneNeeds["lane"] {
  return { readyBytes: lane.readyBytes + bytes, openPeakBytes: lane.openPeakBytes + bytes };
}

/** Bytes that a lane holds once it has met every length. */
function keptBytesOf({ laneModel }: LanePlanRequest): number {
  const { lengthBuckets = [], runtime } = laneModel;
  return lengthBuckets.length * runtimeOf(runtime?.kind).keptBytesPerLength;
}

/** Bytes left for activations once the token cache has its part. */
function shareOut(
  request: LanePlanRequest,
  { activationBytes: leftBytes }: Division,
  { lanes }: Layout,
  { leastActivationBytes }: LaneNeeds,
): { readonly activationBytes: number; readonly forTokensBytes: number } {
  const spareBytes = leftBytes - lanes * leastActivationBytes;
  const forTokensBytes = tokenCacheBytes(request.tokenCacheBytes ?? 0, spareBytes);
  return { activationBytes: leftBytes - forTokensBytes, forTokensBytes };
}

async function sharedBytesOf({ model, laneModel }: LanePlanRequest): Promise<number> {
  const { prepared, onnxPath, runtime } = laneModel;
  if (prepared !== true) {
    const isMapped = runtimeOf(runtime?.kind).mapsWeights && model.file.externalData.length > 0;
    return isMapped ? model.file.bytes : 0;
  }
  const data = onnxPath.replace(/[^/\\]+$/, DATA_NAME);
  const sizes = await Promise.all([onnxPath, data].map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function unmeasuredLane({ model, laneModel }: LanePlanRequest): LaneNeeds["lane"] {
  if (laneModel.prepared === true) {
    const ownBytes = model.file.bytes * runtimeOf(laneModel.runtime?.kind).ownWeights;
    return { readyBytes: BARE_LANE_BYTES + ownBytes, openPeakBytes: BARE_LANE_BYTES + ownBytes };
  }
  const weights = model.file.bytes;
  return {
    readyBytes: BARE_LANE_BYTES + weights * UNMEASURED_WEIGHTS_FACTOR,
    openPeakBytes: BARE_LANE_BYTES + weights * UNMEASURED_OPEN_FACTOR,
  };
}
