/** Decides from which files a worker's lanes load their model, and says so in one line. */
import { PREPARE_ENTRY } from "../../platform/process-entries.js";
import type { Logger } from "pino";
import { describeError } from "../../core/errors.js";
import { quantisedHandling, readCpuFeatures } from "../../inference/host/cpu-features.js";
import type { ModelSource } from "../../inference/lanes/lane-model.js";
import {
  MIN_PREPARE_BYTES,
  prepareModel,
  type PreparedModel,
  type PrepareEvent,
} from "../../inference/prepare/prepare-model.js";
import { withFileLease } from "../../platform/file-lease.js";
import type { ResolvedModel } from "../../models/resolve.js";

export interface PrepareRequest {
  readonly model: ResolvedModel;
  /** Holds a folder a prepared model. */
  readonly preparedDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fullCheck?: boolean;
  readonly onProgress?: (event: PrepareEvent) => void;
}

/** @throws RankmillError `prepare_failed`, `missing_dependency` */
export async function prepareResolved(request: PrepareRequest): Promise<PreparedModel> {
  const { model, preparedDir, env, fullCheck, onProgress } = request;
  return await prepareModel({
    onnxPath: model.onnxPath,
    externalData: model.file.externalData,
    modelDigest: model.digest,
    precision: model.precision,
    form: model.form,
    head: model.head,
    cacheDir: preparedDir,
    entryPath: PREPARE_ENTRY,
    env,
    exclusively: (path, onWait, work) => withFileLease(path, { onWait }, work),
    fullCheck,
    onProgress,
  });
}

/**
 * The prepared model if it can be had, else the original: a worker that cannot prepare works all
 * the same, with a copy of the weights in each lane.
 *
 * @param preparedDir undefined if the operator wants none
 */
export async function modelSource(
  model: ResolvedModel,
  preparedDir: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<ModelSource> {
  const { exactInt8, note } = quantisedHandling(model.precision, await readCpuFeatures());
  if (note !== undefined) logger.warn({ precision: model.precision }, note);
  const original: ModelSource = {
    onnxPath: model.onnxPath,
    head: model.head,
    prepared: false,
    unmasked: false,
    exactInt8,
  };
  if (preparedDir === undefined || model.file.bytes < MIN_PREPARE_BYTES) return original;
  try {
    const prepared = await prepareResolved({
      model,
      preparedDir,
      env,
      onProgress: (event) => logProgress(logger, event),
    });
    const { onnxPath, unmasked, reused, prepareMs, bytes } = prepared;
    logger.info(
      { reused, bytes, key: prepared.key },
      reused ? "prepared model reused" : `model prepared in ${(prepareMs / 1000).toFixed(1)} s`,
    );
    if (prepared.onTmpfs) logger.warn({ preparedDir }, TMPFS_WARNING);
    return { onnxPath, head: model.head, prepared: true, unmasked, exactInt8 };
  } catch (error) {
    logger.warn(
      `running unprepared, with scores that differ in their last digits from those of prepared workers: ${describeError(error).message}`,
    );
    return original;
  }
}

export const TMPFS_WARNING =
  "the prepared model lies on tmpfs: all of it counts against this container's memory limit; choose a folder on a disk";

function logProgress(logger: Logger, event: PrepareEvent): void {
  switch (event.type) {
    case "waiting":
      logger.info("another process is preparing the model: waiting for it");
      break;
    case "rebuilding":
      logger.warn({ reason: event.reason }, "the prepared model is damaged: preparing it again");
      break;
    case "preparing":
      logger.info({ bytes: event.modelBytes }, "preparing the model, once on this host");
      break;
  }
}
