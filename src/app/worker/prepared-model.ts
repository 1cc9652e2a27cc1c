/** Decides from which files a worker's lanes load their model, and says so in one line. */
import { PREPARE_ENTRY } from "../../platform/process-entries.js";
import type { Logger } from "pino";
import { describeError, RankmillError } from "../../core/errors.js";
import { arePrepared, numbersName } from "../../core/forms/numbers.js";
import { option, wording, type Wording } from "../../core/wording.js";
import { quantisedHandling, readCpuFeatures } from "../../inference/host/cpu-features.js";
import type { ModelSource } from "../../inference/lanes/lane-model.js";
import {
  MIN_PREPARE_BYTES,
  prepareModel,
  type PreparedModel,
  type PrepareEvent,
} from "../../inference/prepare/prepare-model.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import { withFileLease } from "../../platform/file-lease.js";
import type { ResolvedModel } from "../../models/resolve.js";

export interface PrepareRequest {
  readonly model: ResolvedModel;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  /** Holds a folder a prepared model. */
  readonly preparedDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fullCheck?: boolean;
  readonly onProgress?: (event: PrepareEvent) => void;
}

/** @throws RankmillError `prepare_failed`, `missing_dependency` */
export async function prepareResolved(request: PrepareRequest): Promise<PreparedModel> {
  const { model, runtime, preparedDir, env, fullCheck, onProgress } = request;
  return await prepareModel({
    onnxPath: model.onnxPath,
    externalData: model.file.externalData,
    modelDigest: model.digest,
    precision: model.precision,
    form: arePrepared(model) ? model.form : undefined,
    runtime,
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
 * the same, with a copy of the weights in each lane. A numeric form is made by preparing: without it there is none.
 *
 * @param preparedDir undefined if the operator wants none
 * @throws RankmillError `prepare_failed`, `invalid_option` if the model's numeric form cannot be had
 */
export async function modelSource(
  model: ResolvedModel,
  preparedDir: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
  runtime?: WorkerRuntime,
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
  if (preparedDir === undefined) {
    if (arePrepared(model)) throw needsPreparing(model);
    return original;
  }
  if (!arePrepared(model) && !isPreparable(model)) return original;
  try {
    const prepared = await prepareResolved({
      model,
      runtime,
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
    if (arePrepared(model)) throw withoutForm(model, error);
    logger.warn(
      `running unprepared, with scores that differ in their last digits from those of prepared workers: ${describeError(error).message}`,
    );
    return original;
  }
}

/** @throws RankmillError `invalid_option` for numbers that are made by preparing, where lanes load no prepared model */
export function requireFileNumbers(model: ResolvedModel): void {
  if (!arePrepared(model)) return;
  throw new RankmillError(
    "invalid_option",
    wording`${option("precision", model.precision)}: ${numbersName(model)} is made for ONNX Runtime on a CPU; choose a precision that ${model.folder.path} has a file of`,
    { field: "precision" },
  );
}

function needsPreparing(model: ResolvedModel): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("prepare")}: ${numbersName(model)} is made by preparing: leave it out, or choose other numbers${wayOut(model)}`,
    { field: "prepare" },
  );
}

/** Another form in its place would be other scores on the same queue. */
function withoutForm(model: ResolvedModel, error: unknown): RankmillError {
  const { message } = describeError(error);
  return new RankmillError(
    "prepare_failed",
    wording`this host cannot compute ${model.name} as ${numbersName(model)}: ${message}${wayOut(model)}`,
    { cause: error },
  );
}

function wayOut({ form }: ResolvedModel): Wording {
  return form === "rows"
    ? wording`; ${option("int8Form", "file")} runs the file as it is, on a queue of its own`
    : wording``;
}

/** False for a model that is too small. */
export function isPreparable({ file }: ResolvedModel): boolean {
  return file.bytes >= MIN_PREPARE_BYTES;
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
