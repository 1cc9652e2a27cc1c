/**
 * A process that tries CUDA once: opens a graph of one multiplication on the GPU and runs it, so that
 * provider, libraries, driver and card have all been asked. Its parent reads what comes of it.
 */
import process from "node:process";
import type { FromProbe } from "../src/inference/devices/cuda/probe-cuda.js";

/** `y = x · x` of one float, ONNX opset 13. */
const GRAPH =
  "CAg6QAoRCgF4CgF4EgF5IgZNYXRNdWwSAXBaEwoBeBIOCgwIARIICgIIAQoCCAFiEwoBeRIOCgwIARIICgIIAQoCCAFCBAoAEA0=";

async function probe(): Promise<FromProbe> {
  try {
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(Buffer.from(GRAPH, "base64"), {
      executionProviders: ["cuda"],
      logSeverityLevel: 3,
    });
    const { y } = await session.run({ x: new Tensor("float32", [3], [1, 1]) });
    if (Number(y?.data[0]) !== 9) throw new Error(`3 × 3 gave ${String(y?.data[0])} on the GPU`);
    return { type: "works" };
  } catch (error) {
    return { type: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

const result = await probe();
// Leaves without unloading what may hang while it is unloaded.
process.send?.(result, undefined, undefined, () => process.exit(0));
