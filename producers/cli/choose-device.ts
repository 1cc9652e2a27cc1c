import { RankmillError } from "../../src/core/errors.js";
import type { Precision } from "../../src/core/precision.js";
import { option, wording } from "../../src/core/wording.js";
import {
  decideDevice,
  devicesToTry,
  precisionsFor,
  type DeviceChoice,
  type DeviceDecision,
} from "../../src/inference/devices/decide-device.js";
import type { DevicePlaces } from "../../src/inference/devices/device.js";
import { CPU_DEVICE, deviceOf, type WorkerDevice } from "../../src/inference/devices/registry.js";
import { wantedRuntime } from "../../src/inference/runtime/decide-runtime.js";
import {
  DEFAULT_RUNTIME,
  runtimeOf,
  type RuntimeKind,
} from "../../src/inference/runtime/registry.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { cudaDir, requireModel } from "./context.js";
import { findRuntime, type WithRuntime } from "./find-runtime.js";
import { env } from "./terminal.js";
import type { DeviceValues } from "./options/device.js";
import type { FindModelValues } from "./options/model.js";

/** A smaller model is done on a CPU before it has reached a GPU. */
const LEAST_MODEL_BYTES = 8 * 1024 * 1024;

/** A model, and what it runs on and with. */
export interface Chosen extends WithRuntime {
  readonly device: WorkerDevice;
}

/**
 * Finds device, runtime and model together: the device decides which precision is looked for first, and a
 * precision may need a runtime.
 *
 * @param tell hears what runs where, and why
 * @throws RankmillError `device_unavailable`, `invalid_option`, `missing_dependency`, and what `requireModel` gives
 */
export async function chooseDevice(
  values: DeviceValues,
  wanted: FindModelValues & { readonly prepare?: boolean },
  tell: (decision: DeviceDecision) => void,
): Promise<Chosen> {
  const kind = wantedRuntime(values.runtime, wanted.precision);
  const { choice, ...decision } = await findDevice(values, wanted.precision);
  const model = await requireModel(wanted, precisionsFor(choice, decision.device));
  if (choice === "auto" && decision.device.kind !== CPU_DEVICE.kind && isTiny(model)) {
    tell({ device: CPU_DEVICE, note: "device: CPU, for so small a model", unexpected: false });
    return { device: CPU_DEVICE, runtime: DEFAULT_RUNTIME, model: await requireModel(wanted) };
  }
  const found = await findRuntime(kind, values, model);
  const runBy = kind === DEFAULT_RUNTIME.kind ? "" : `, with ${runtimeOf(kind).name}`;
  tell({ ...decision, note: `${decision.note}${runBy}` });
  return { device: decision.device, ...found };
}

/**
 * Finds the device of a worker.
 *
 * @param precision undefined if none was asked for
 * @throws RankmillError `device_unavailable`, `invalid_option`
 */
export async function findDevice(
  values: DeviceValues,
  precision: Precision | undefined,
): Promise<DeviceDecision & { readonly choice: DeviceChoice }> {
  const choice = deviceFor(wantedRuntime(values.runtime, precision), values.device);
  const places: DevicePlaces = { env, setupDirs: { cuda: cudaDir(values.cudaDir) } };
  const looked = await Promise.all(
    devicesToTry(choice, precision).map(async (one) => {
      const state = await deviceOf(one).find(places);
      return { kind: one, state };
    }),
  );
  return { choice, ...decideDevice(choice, values.deviceFallback, looked) };
}

/** A runtime for CPUs leaves no choice of the device. */
function deviceFor(kind: RuntimeKind, choice: DeviceChoice): DeviceChoice {
  if (kind === DEFAULT_RUNTIME.kind) return choice;
  if (choice === "auto" || choice === CPU_DEVICE.kind) return CPU_DEVICE.kind;
  throw new RankmillError(
    "invalid_option",
    wording`${option("device", choice)}: ${runtimeOf(kind).name} runs on CPUs; choose ${option("device", CPU_DEVICE.kind)}, or ${option("runtime", DEFAULT_RUNTIME.kind)} and a precision that it has`,
    { field: "device" },
  );
}

function isTiny(model: ResolvedModel): boolean {
  return model.file.bytes < LEAST_MODEL_BYTES;
}
