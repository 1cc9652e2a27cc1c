import { CUDA_PROBE_ENTRY } from "../../src/platform/process-entries.js";
import type { Precision } from "../../src/core/catalogue.js";
import {
  choiceForPrecision,
  CPU_DEVICE,
  decideDevice,
  precisionsFor,
  type CudaState,
  type DeviceChoice,
  type DeviceDecision,
  type DeviceFallback,
  type WorkerDevice,
} from "../../src/core/device.js";
import type { ResolvedModel } from "../../src/models/resolve.js";
import { cudaDir, env, requireModel } from "./context.js";
import type { Values } from "./option-values.js";

/** The options that decide where a model runs. */
export const DEVICE_OPTION_NAMES = ["device", "deviceFallback", "cudaDir"] as const;

type DeviceValues = Values<
  (typeof DEVICE_OPTION_NAMES)[number] | "model" | "precision" | "modelsDir"
>;

/** A smaller model is done on a CPU before it has reached a GPU. */
const LEAST_MODEL_BYTES = 8 * 1024 * 1024;

/**
 * Finds device and model together: the device decides which precision is looked for first.
 *
 * @param tell hears what runs where, and why
 * @throws RankmillError `cuda_unavailable`, `invalid_option`, and what `requireModel` gives
 */
export async function chooseDevice(
  values: DeviceValues,
  tell: (decision: DeviceDecision) => void,
): Promise<{ readonly device: WorkerDevice; readonly model: ResolvedModel }> {
  const precision = values.precision as Precision | undefined;
  const choice = choiceForPrecision(values.device as DeviceChoice, precision);
  const cuda = choice === "cpu" ? undefined : await lookForCuda(values);
  const decision = decideDevice(choice, values.deviceFallback as DeviceFallback, cuda);
  const model = await requireModel(values, precisionsFor(choice, decision.device));
  if (choice === "auto" && decision.device.kind === "cuda" && isTiny(model)) {
    tell({ device: CPU_DEVICE, note: "device: CPU, for so small a model", unexpected: false });
    return { device: CPU_DEVICE, model: await requireModel(values) };
  }
  tell(decision);
  return { device: decision.device, model };
}

function isTiny(model: ResolvedModel): boolean {
  return model.file.bytes < LEAST_MODEL_BYTES;
}

async function lookForCuda(values: Values<"cudaDir">): Promise<CudaState> {
  // Loaded where it is asked for: producers need nothing of it.
  const { detectCuda } = await import("../../src/inference/devices/cuda/detect-cuda.js");
  return await detectCuda({
    cudaDir: cudaDir(values.cudaDir),
    probeEntryPath: CUDA_PROBE_ENTRY,
    env,
  });
}
