import {
  decideDevice,
  devicesToTry,
  precisionsFor,
  type DeviceDecision,
} from "../../src/inference/devices/decide-device.js";
import type { DevicePlaces } from "../../src/inference/devices/device.js";
import { CPU_DEVICE, deviceOf, type WorkerDevice } from "../../src/inference/devices/registry.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { cudaDir, requireModel } from "./context.js";
import { env } from "./terminal.js";
import type { DeviceValues } from "./options/device.js";
import type { FindModelValues } from "./options/model.js";

/** A smaller model is done on a CPU before it has reached a GPU. */
const LEAST_MODEL_BYTES = 8 * 1024 * 1024;

/**
 * Finds device and model together: the device decides which precision is looked for first.
 *
 * @param tell hears what runs where, and why
 * @throws RankmillError `device_unavailable`, `invalid_option`, and what `requireModel` gives
 */
export async function chooseDevice(
  values: DeviceValues,
  wanted: FindModelValues,
  tell: (decision: DeviceDecision) => void,
): Promise<{ readonly device: WorkerDevice; readonly model: ResolvedModel }> {
  const choice = values.device;
  const places: DevicePlaces = { env, setupDirs: { cuda: cudaDir(values.cudaDir) } };
  const looked = await Promise.all(
    devicesToTry(choice, wanted.precision).map(async (kind) => {
      const state = await deviceOf(kind).find(places);
      return { kind, state };
    }),
  );
  const decision = decideDevice(choice, values.deviceFallback, looked);
  const model = await requireModel(wanted, precisionsFor(choice, decision.device));
  if (choice === "auto" && decision.device.kind !== CPU_DEVICE.kind && isTiny(model)) {
    tell({ device: CPU_DEVICE, note: "device: CPU, for so small a model", unexpected: false });
    return { device: CPU_DEVICE, model: await requireModel(wanted) };
  }
  tell(decision);
  return { device: decision.device, model };
}

function isTiny(model: ResolvedModel): boolean {
  return model.file.bytes < LEAST_MODEL_BYTES;
}
