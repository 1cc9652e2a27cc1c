import { saysOutOfMemory } from "../runtime/out-of-memory.js";
import type { Device } from "./device.js";

/** The cores of the host. They are everywhere, so that nothing has to be found or set up. */
export const CPU: Device & { readonly kind: "cpu" } = {
  kind: "cpu",
  name: "CPU",
  memory: { kind: "shared" },
  keepsBits: true,
  loadsPrepared: true,
  precisions: ["fp32"],
  lackedPrecisions: [],
  onnxRuntime: {
    provider: () => "cpu",
    // ONNX Runtime 1.30's fused kernel works number by number, while `Add` and `LayerNormalization` use
    // the vector unit: without it int8 models are 5 to 11 % faster.
    slowOptimizers: "SkipLayerNormFusion",
  },
  laneEnv: (env) => env,
  saysOutOfMemory,
  // A failed batch leaves the process whole.
  whatBroke: () => undefined,
  find: async () => await Promise.resolve({ status: "works", found: {} }),
};
