/** Finds what was measured of a model on this host, or measures it and keeps it. */
import { describeError, RankmillError } from "../core/errors.js";
import { numbersName } from "../core/forms/numbers.js";
import { readCpuFeatures } from "../inference/host/cpu-features.js";
import { usableCores } from "../inference/host/host.js";
import { oomKills, type MemoryLimit } from "../inference/host/memory-limit.js";
import { MIN_PREPARE_BYTES } from "../inference/prepare/prepare-model.js";
import { runtimeForForm } from "../inference/runtime/registry.js";
import type { ResolvedModel } from "../models/resolve.js";
import type { Calibration } from "./calibration.js";
import { mib } from "./divide-memory.js";
import type { LanePlanRequest } from "./lane-plan.js";
import {
  calibrationKey,
  hostKey,
  readCalibration,
  writeCalibration,
} from "./measure/calibration-file.js";
import { calibrate } from "./measure/measure-model.js";
import { sayQuantisedGain } from "./quantised-gain.js";

/** Room that the measuring has. */
export interface CalibrationRoom {
  readonly cores: number;
  readonly roomBytes: number;
  readonly limit: MemoryLimit;
}

/**
 * A lane that dies while it is measured costs the calibration, not the worker, unless it died for
 * want of memory: then none can work.
 *
 * @returns undefined if none is wanted or none could be made
 */
export async function calibrationOrGuess(
  request: LanePlanRequest,
  room: CalibrationRoom,
): Promise<Calibration | undefined> {
  const killsBefore = await oomKills();
  try {
    return await calibrationOf(request, room);
  } catch (error) {
    if (!(error instanceof RankmillError) || error.code !== "lane_failed") throw error;
    const { model, logger } = request;
    const { limit } = room;
    if (((await oomKills()) ?? 0) > (killsBefore ?? 0)) {
      throw new RankmillError(
        "memory_too_small",
        `a lane was killed for want of memory while ${model.name} ${numbersName(model)} was measured: raise the memory limit of ${mib(limit.bytes)} (${limit.source}), or choose a smaller model or precision`,
        { cause: error },
      );
    }
    logger.warn(`not calibrated: ${error.message}`);
    return undefined;
  }
}

async function calibrationOf(
  request: LanePlanRequest,
  { cores, roomBytes }: CalibrationRoom,
): Promise<Calibration | undefined> {
  const { calibrationDir: dir, model, laneModel, logger } = request;
  if (dir === undefined) return undefined;
  const key = await keyOf(model, laneModel.prepared ?? false, cores);
  const host = hostKey(await readCpuFeatures(), cores);
  const kept = await readCalibration(dir, key, (problem) => logger.warn(problem));
  if (kept !== undefined) {
    await sayQuantisedGain(kept, model, dir, host, logger);
    return kept;
  }
  const tiny = model.file.bytes < MIN_PREPARE_BYTES;
  if (!tiny) logger.info("calibrating the model on this host, once");
  const measured = await calibrate({
    key,
    host,
    modelName: `${model.name} ${numbersName(model)}`,
    model: laneModel,
    entryPath: request.entryPath,
    env: request.env,
    openTimeoutMs: request.openTimeoutMs,
    dynamicallyQuantised: model.dynamicallyQuantised,
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

/** True if a worker with all usable cores would find its model measured. Measures nothing. */
export async function hasCalibration(
  model: ResolvedModel,
  prepared: boolean,
  dir: string,
): Promise<boolean> {
  const key = await keyOf(model, prepared, await usableCores());
  return (await readCalibration(dir, key)) !== undefined;
}

async function keyOf(
  { digest, precision, form }: ResolvedModel,
  prepared: boolean,
  cores: number,
): Promise<string> {
  return calibrationKey({
    modelDigest: digest,
    precision,
    form,
    prepared,
    runtime: await runtimeForForm(form).version(),
    cpu: await readCpuFeatures(),
    cores,
  });
}
