import { readCpuFeatures } from "../../src/inference/host/cpu-features.js";
import { decideRuntime } from "../../src/inference/runtime/decide-runtime.js";
import {
  runtimeOf,
  type RuntimeKind,
  type WorkerRuntime,
} from "../../src/inference/runtime/registry.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { openvinoDir } from "./context.js";
import type { DeviceValues } from "./options/device.js";

type RuntimeValues = Pick<DeviceValues, "runtime" | "openvinoDir">;

/** A runtime that is there, and the model in the numeric form that it computes. */
export interface WithRuntime {
  readonly runtime: WorkerRuntime;
  readonly model: ResolvedModel;
}

/** @throws RankmillError `invalid_option`, `missing_dependency` if this host cannot serve the choice */
export async function findRuntime(
  kind: RuntimeKind,
  values: RuntimeValues,
  model: ResolvedModel,
): Promise<WithRuntime> {
  const wanted = runtimeOf(kind);
  const { form } = wanted;
  const state = await wanted.find({ setupDirs: { openvino: openvinoDir(values.openvinoDir) } });
  const { precision, file } = model;
  const cpu = await readCpuFeatures();
  return {
    runtime: decideRuntime({ kind, precision, file, cpu, state }),
    model: form === undefined ? model : { ...model, form },
  };
}
