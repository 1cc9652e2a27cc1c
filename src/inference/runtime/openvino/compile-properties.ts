import type { LaneModel } from "../../lanes/lane-protocol.js";
import type { Property } from "./openvino-library.js";

/** The settings with which OpenVINO compiles a lane's model. */
export function compileProperties(model: LaneModel): readonly Property[] {
  return [
    { key: "INFERENCE_PRECISION_HINT", value: precisionHint(model) },
    { key: "PERFORMANCE_HINT", value: "LATENCY" },
    { key: "NUM_STREAMS", value: "1" },
    { key: "INFERENCE_NUM_THREADS", value: String(model.intraOpThreads) },
    // Each lane is a process that knows nothing of the others: all of them would take the same core.
    { key: "ENABLE_CPU_PINNING", value: "NO" },
  ];
}

/**
 * @param computes the precision that OpenVINO says it computes in
 * @returns why it is not the one that was asked for; undefined if it is
 */
export function whyNotAsAsked(model: LaneModel, computes: string): string | undefined {
  const asked = precisionHint(model);
  if (computes === asked) return undefined;
  // It falls back without a word, and scores would bear the name of a precision that they do not have.
  return `OpenVINO computes it in ${computes} on this CPU, not in ${asked}`;
}

function precisionHint({ runtime }: LaneModel): "bf16" | "f32" {
  return runtime?.bf16 === true ? "bf16" : "f32";
}
