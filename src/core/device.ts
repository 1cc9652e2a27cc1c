import type { Precision } from "./catalogue.js";
import { RankmillError } from "./errors.js";
import { option, wording } from "./wording.js";

export const DEVICE_CHOICES = ["auto", "cpu", "cuda"] as const;
/** What an operator asks for; `auto` takes CUDA where all of it is there. */
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export const DEVICE_FALLBACKS = ["fail", "cpu"] as const;
/** What becomes of a worker that was asked to use CUDA where it cannot. */
export type DeviceFallback = (typeof DEVICE_FALLBACKS)[number];

/** What a look at the machine gave. */
export type CudaState =
  | {
      readonly status: "works";
      /** GPUs that processes of this one see. */
      readonly gpus: number;
      /** Folder of the provider and of CUDA's libraries; undefined: the runtime finds them itself. */
      readonly libraryDir: string | undefined;
    }
  /** `absent`: no NVIDIA device. `unusable`: there is one, and something else is missing or fails. */
  | { readonly status: "absent" | "unusable"; readonly reason: string; readonly remedy: string };

/** What lanes run on. */
export type WorkerDevice =
  | { readonly kind: "cpu" }
  | ({ readonly kind: "cuda" } & Omit<Extract<CudaState, { status: "works" }>, "status">);

export interface DeviceDecision {
  readonly device: WorkerDevice;
  /** One line for the log, always said. */
  readonly note: string;
  /** True where it is not what the operator, or the machine, leads one to expect. */
  readonly unexpected: boolean;
}

/**
 * The device of a worker, and why.
 *
 * @throws RankmillError `cuda_unavailable` in one line, with what to do, where CUDA was asked for, is
 *   not to be had, and nothing allows the CPU
 */
export function decideDevice(
  choice: DeviceChoice,
  fallback: DeviceFallback,
  cuda: CudaState | undefined,
): DeviceDecision {
  if (choice === "cpu" || cuda === undefined) {
    return { device: CPU_DEVICE, note: "device: CPU", unexpected: false };
  }
  if (cuda.status === "works") {
    const { gpus, libraryDir } = cuda;
    const note = `device: CUDA, ${gpus} GPU${gpus === 1 ? "" : "s"}`;
    return { device: { kind: "cuda", gpus, libraryDir }, note, unexpected: false };
  }
  const why = `${cuda.reason}; ${cuda.remedy}`;
  if (choice === "auto") {
    const unexpected = cuda.status === "unusable";
    const note = unexpected ? `device: CPU, for CUDA cannot be used: ${why}` : NO_GPU;
    return { device: CPU_DEVICE, note, unexpected };
  }
  if (fallback === "cpu") {
    return {
      device: CPU_DEVICE,
      note: `device: CPU, the fallback that was asked for, because CUDA cannot be used: ${why}`,
      unexpected: true,
    };
  }
  throw new RankmillError("cuda_unavailable", `CUDA cannot be used: ${why}`);
}

export const CPU_DEVICE: WorkerDevice = { kind: "cpu" };
const NO_GPU = "device: CPU, no NVIDIA device is here";

/**
 * The precisions to look for, best first, where the operator names none. A worker that fell back to the
 * CPU keeps what CUDA would have taken: precision names the queue, and its jobs must be served.
 */
export function precisionsFor(choice: DeviceChoice, device: WorkerDevice): readonly Precision[] {
  return choice === "cuda" || device.kind === "cuda" ? ["fp16", "fp32"] : ["fp32"];
}

const QUANTISED: ReadonlySet<Precision> = new Set<Precision>(["int8", "uint8"]);

/**
 * The choice that stands once the precision is known: CUDA has no kernels for dynamically quantised
 * layers, which would run on the CPU with a copy of everything each way.
 *
 * @throws RankmillError `invalid_option` where both were asked for
 */
export function choiceForPrecision(
  choice: DeviceChoice,
  precision: Precision | undefined,
): DeviceChoice {
  if (precision === undefined || !QUANTISED.has(precision) || choice === "cpu") return choice;
  if (choice === "auto") return "cpu";
  throw new RankmillError(
    "invalid_option",
    wording`${option("device", "cuda")} with ${option("precision", precision)}: quantised models run on the CPU; choose fp16 or fp32, or ${option("device", "cpu")}`,
  );
}
