import { CUDA_MAJOR, LEAST_DRIVER } from "../../../models/cuda/cuda-wheels.js";
import { cudaSaysOutOfMemory, deviceFailureOf } from "./cuda-failure.js";

/** The reason why CUDA cannot be used, and what to do, each in half a line. */
export interface CudaTrouble {
  readonly reason: string;
  readonly remedy: string;
}

const OLD_DRIVER = `install NVIDIA's driver ${LEAST_DRIVER} or newer, which CUDA ${CUDA_MAJOR} needs`;
const SETUP_LIBRARIES = 'run "rankmill setup cuda --with-libraries"';

/** CUDA's numbers at the start of a process; the texts beside them are CUDA's own. */
const REMEDIES: Readonly<Record<number, string>> = {
  3: OLD_DRIVER,
  35: OLD_DRIVER,
  46: "another process has the card for itself: free it, or choose another with CUDA_VISIBLE_DEVICES",
  100: "check with nvidia-smi; start a container with --gpus all; check CUDA_VISIBLE_DEVICES",
  101: "check CUDA_VISIBLE_DEVICES and the number of lanes",
  209: "this card is older than the provider's kernels: use the CPU as device",
  802: "check the host's services: nvidia-fabricmanager must run on machines with NVSwitch",
  803: "driver and kernel module differ: restart the host after the driver's update",
  804: "remove the compatibility libraries from LD_LIBRARY_PATH, or update the driver",
  805: "check the MPS server of the host",
};

/** @param said what a process that could not use CUDA threw and wrote to its standard error */
export function explainCudaFailure(said: string): CudaTrouble {
  if (/libcuda\.so\.1: cannot open/.test(said)) {
    return {
      reason: "the driver's library libcuda.so.1 is not here",
      remedy: "install NVIDIA's driver; start a container with --gpus all",
    };
  }
  const missing = /(lib[\w.]+\.so[.\d]*): cannot open shared object file/.exec(said)?.[1];
  if (missing !== undefined) {
    if (missing.startsWith("libonnxruntime_providers")) {
      return {
        reason: `ONNX Runtime's CUDA provider is not here (no ${missing})`,
        remedy: 'run "rankmill setup cuda"',
      };
    }
    return { reason: `CUDA's library ${missing} is not here`, remedy: SETUP_LIBRARIES };
  }
  if (/version `[^']+' not found|undefined symbol/.test(said)) {
    return {
      reason: `a library of CUDA's does not fit (${firstLineWith(said, /version `|undefined symbol/)})`,
      remedy: SETUP_LIBRARIES,
    };
  }
  const failure = deviceFailureOf(said);
  const code = Number(/CUDA failure (\d+):/.exec(said)?.[1] ?? Number.NaN);
  if (cudaSaysOutOfMemory(said)) {
    return {
      reason: `the card has no memory left (${failure})`,
      remedy: "find the process that holds it with nvidia-smi",
    };
  }
  return {
    reason: failure,
    remedy: REMEDIES[code] ?? "check with nvidia-smi whether the card works",
  };
}

function firstLineWith(text: string, sign: RegExp): string {
  return (
    text
      .split("\n")
      .find((line) => sign.test(line))
      ?.slice(-200) ?? ""
  );
}
