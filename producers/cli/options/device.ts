import { DEVICE_CHOICES, DEVICE_FALLBACKS } from "../../../src/inference/devices/decide-device.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The processor that the model runs on. */
export const DEVICE = {
  title: "Device",
  options: {
    device: {
      flags: "--device <device>",
      env: "RANKMILL_DEVICE",
      type: "choice",
      choices: DEVICE_CHOICES,
      default: "auto",
      description: "processor that runs the model; auto uses CUDA if a trial run succeeds",
    },
    deviceFallback: {
      flags: "--device-fallback <what>",
      env: "RANKMILL_DEVICE_FALLBACK",
      type: "choice",
      choices: DEVICE_FALLBACKS,
      default: "fail",
      description: "reaction of --device cuda if CUDA cannot be used",
    },
    cudaDir: {
      flags: "--cuda-dir <dir>",
      env: "RANKMILL_CUDA_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/cuda",
      description: "folder of ONNX Runtime's CUDA provider and NVIDIA's libraries",
    },
  },
} as const satisfies OptionGroup;

export type DeviceValues = GroupValues<typeof DEVICE>;
