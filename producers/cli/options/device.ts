import { RUNTIME_CHOICES } from "../../../src/inference/runtime/decide-runtime.js";
import { DEVICE_CHOICES, DEVICE_FALLBACKS } from "../../../src/inference/devices/decide-device.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The processor that the model runs on, and the library that runs it. */
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
    runtime: {
      flags: "--runtime <runtime>",
      env: "RANKMILL_RUNTIME",
      type: "choice",
      choices: RUNTIME_CHOICES,
      default: "auto",
      description:
        "library that runs the model; auto is ONNX Runtime, and OpenVINO for --precision bf16",
    },
    openvinoDir: {
      flags: "--openvino-dir <dir>",
      env: "RANKMILL_OPENVINO_DIR",
      type: "text",
      computedDefault: "~/.cache/rankmill/openvino",
      description: "folder of OpenVINO's libraries",
    },
  },
} as const satisfies OptionGroup;

export type DeviceValues = GroupValues<typeof DEVICE>;
