import type { WorkerDevice } from "../devices/registry.js";
import type { LaneModel } from "./lane-protocol.js";

/** Files that a lane loads, and how. */
export type ModelSource = Pick<
  LaneModel,
  "onnxPath" | "head" | "prepared" | "unmasked" | "exactInt8"
>;

/** Facts about a tokenizer that a lane needs to fill its batches. */
export type BatchFilling = Pick<LaneModel, "padId" | "segmentTypeIds">;

/** The way in which a lane of one thread opens a model. A plan may add threads, lengths of rows and a warm-up. */
export function laneModelOf(
  source: ModelSource,
  { padId, segmentTypeIds }: BatchFilling,
  device: WorkerDevice,
): LaneModel {
  return { ...source, padId, segmentTypeIds, device: device.kind, intraOpThreads: 1 };
}
