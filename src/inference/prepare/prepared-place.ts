import { join, resolve } from "node:path";
import type { Form } from "../../core/forms/registry.js";
import type { Precision } from "../../core/precision.js";
import type { HeadUse } from "../../core/heads/head-use.js";
import { CPU_DEVICE } from "../devices/registry.js";
import { quantisedHandling, readCpuFeatures, type CpuFeatures } from "../host/cpu-features.js";
import { laneModelOf } from "../lanes/lane-model.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import { runtimeOf, type WorkerRuntime } from "../runtime/registry.js";
import { GRAPH_NAME, preparedKey } from "./prepare-key.js";
import { inspectPrepared } from "./prepared-folder.js";

/** A model as it is named among prepared ones. */
export interface PreparableModel {
  /** Path of the original graph. */
  readonly onnxPath: string;
  /** sha256, hex: of everything that makes the model. */
  readonly modelDigest: string;
  readonly precision: Precision;
  readonly form?: Form | undefined;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  readonly head: HeadUse;
  /** Holds one folder per prepared model. */
  readonly cacheDir: string;
  /** Default: this machine's. */
  readonly cpu?: CpuFeatures | undefined;
}

/** The place of a model's prepared files on this host, and all that it depends on. */
export interface PreparedPlace {
  readonly cacheDir: string;
  readonly cpu: CpuFeatures;
  readonly runtime: string;
  /** The way in which the preparing process opens the original. */
  readonly model: LaneModel;
  readonly key: string;
  readonly folder: string;
}

/** @throws RankmillError `missing_dependency` */
export async function preparedPlace(options: PreparableModel): Promise<PreparedPlace> {
  const cpu = options.cpu ?? (await readCpuFeatures());
  const runtime = await runtimeOf(options.runtime?.kind).version();
  const cacheDir = resolve(options.cacheDir);
  const { exactInt8 } = quantisedHandling(options.precision, cpu);
  const model = laneModelOf(
    { onnxPath: resolve(options.onnxPath), head: options.head, exactInt8 },
    { padId: 0, segmentTypeIds: false },
    { device: CPU_DEVICE, runtime: options.runtime },
  );
  const { form } = options;
  const key = preparedKey({ modelDigest: options.modelDigest, runtime, cpu, model, form });
  return { cacheDir, cpu, runtime, model, key, folder: join(cacheDir, key) };
}

export type PreparedHere =
  | { readonly status: "good"; readonly onnxPath: string; readonly unmasked: boolean }
  | { readonly status: "missing" }
  | { readonly status: "damaged"; readonly reason: string };

/**
 * The state of a prepared model; changes nothing.
 *
 * @param full hashes its files even if nothing says that they changed
 */
export async function inspectPreparedModel(
  options: PreparableModel,
  full: boolean,
): Promise<PreparedHere> {
  const { folder, key } = await preparedPlace(options);
  const found = await inspectPrepared(folder, key, full);
  if (found.status !== "good") return found;
  return {
    status: "good",
    onnxPath: join(folder, GRAPH_NAME),
    unmasked: found.manifest.unmasked,
  };
}
