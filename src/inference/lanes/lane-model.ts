import type { WorkerDevice } from "../devices/registry.js";
import { runtimeOf, type WorkerRuntime } from "../runtime/registry.js";
import type { LaneModel } from "./lane-protocol.js";

/** Files that a lane loads, and how. */
export type ModelSource = Pick<
  LaneModel,
  "onnxPath" | "head" | "prepared" | "unmasked" | "exactInt8"
>;

/** Facts about a tokenizer that a lane needs to fill its batches. */
export type BatchFilling = Pick<LaneModel, "padId" | "segmentTypeIds">;

/** The processor and the library that a lane runs a model with. */
export interface RunsOn {
  readonly device: WorkerDevice;
  /** ONNX Runtime if absent. */
  readonly runtime?: WorkerRuntime | undefined;
  /** Tokens of the model's longest pair, for a runtime that pads rows to lengths of a set. */
  readonly highestLength?: number | undefined;
}

/** The way in which a lane of one thread opens a model. A plan may add threads, lengths of rows and a warm-up. */
export function laneModelOf(
  source: ModelSource,
  { padId, segmentTypeIds }: BatchFilling,
  { device, runtime, highestLength }: RunsOn,
): LaneModel {
  const lengths = highestLength === undefined ? undefined : runtimeOf(runtime?.kind).lengths;
  return {
    ...source,
    padId,
    segmentTypeIds,
    device: device.kind,
    intraOpThreads: 1,
    ...(runtime === undefined ? {} : { runtime }),
    ...(lengths === undefined || highestLength === undefined
      ? {}
      : { lengthBuckets: lengths(highestLength) }),
  };
}
