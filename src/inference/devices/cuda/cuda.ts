import { CUDA_PROBE_ENTRY } from "../../../platform/process-entries.js";
import type { Device } from "../device.js";
import { cudaEnv } from "./cuda-env.js";
import { cudaSaysOutOfMemory, deviceFailureOf, saysDeviceBroken } from "./cuda-failure.js";

const MIB = 1024 * 1024;

/** NVIDIA's cards. No figure here was measured on one; the operator can set each. */
export const CUDA: Device & { readonly kind: "cuda" } = {
  kind: "cuda",
  name: "CUDA",
  memory: {
    kind: "own",
    hostBytes: 512 * MIB,
    // The file is read into the host's memory before it goes to the card, and once more while it is optimised.
    openFactor: 2.2,
    // Enough rows to fill a card's multiprocessors: 32 pairs of 512 tokens, or 64 of 256.
    maxBatchTokens: 16_384,
    maxBatchSize: 64,
    messageBatches: 4,
    // Rows of one batch come from one bucket of lengths.
    planAheadPairs: 4_096,
  },
  // cuBLAS chooses kernels by the shape of the batch.
  keepsBits: false,
  loadsPrepared: false,
  precisions: ["fp16", "fp32"],
  // Dynamically quantised layers would run on the CPU, with a copy of everything each way.
  lackedPrecisions: ["int8", "uint8"],
  onnxRuntime: { provider: (card) => ({ name: "cuda", deviceId: card }) },
  laneEnv: (env, { libraryDir }) => cudaEnv(env, libraryDir),
  saysOutOfMemory: cudaSaysOutOfMemory,
  whatBroke: (text) => (saysDeviceBroken(text) ? deviceFailureOf(text) : undefined),
  find: async ({ env, setupDirs }) => {
    // Loaded only if somebody looks for a card.
    const { detectCuda } = await import("./detect-cuda.js");
    return await detectCuda({
      env,
      cudaDir: setupDirs["cuda"] ?? "",
      probeEntryPath: CUDA_PROBE_ENTRY,
    });
  },
};
