import type { BatchShape } from "../../core/cost/lane-cost.js";
import type { HeadUse } from "../../core/heads/head-use.js";
import type { DeviceKind } from "../devices/registry.js";
import type { WorkerRuntime } from "../runtime/registry.js";

/**
 * The messages of a worker and its lanes over the IPC channel of a child process
 * (structured clone, so typed arrays travel as bytes).
 */

/** The way in which a lane opens the model. */
export interface LaneModel {
  readonly onnxPath: string;
  /** The way from the numbers of the graph to one logit per pair. */
  readonly head: HeadUse;
  /** Id of the padding token. */
  readonly padId: number;
  /** False if the model has token types but its tokenizer gives all zeros. */
  readonly segmentTypeIds: boolean;
  readonly device: DeviceKind;
  /** The library that runs it; ONNX Runtime if absent. */
  readonly runtime?: WorkerRuntime;
  /** Index among the cards that the process sees, of a device that has cards. */
  readonly card?: number;
  /** See `BatchLimits.lengthBuckets`: rows are padded to one of these, not to the longest row. */
  readonly lengthBuckets?: readonly number[];
  /** A batch of this shape is scored before the lane is ready, or the largest of its halves that fits. */
  readonly warmUp?: BatchShape;
  /** Bytes of keys and values that a lane may keep of the tokens that pairs of a query share. None if absent. */
  readonly prefixBytes?: number;
  readonly intraOpThreads: number;
  /** True if `onnxPath` is a prepared graph: mapped, packed, not to be optimised again. */
  readonly prepared?: boolean;
  /** True if the graph reads no attention mask: rows of one batch are of one length. */
  readonly unmasked?: boolean;
  /** See `QuantisedHandling.exactInt8`. */
  readonly exactInt8?: boolean;
}

/** One `session.run`: rows of token ids, to be padded to the longest by the lane. */
export interface BatchInput {
  readonly ids: readonly Int32Array[];
  /** See {@link EncodedPair.secondStart}. */
  readonly secondStarts: readonly number[];
}

export type ToLane =
  | { readonly type: "open"; readonly model: LaneModel; readonly parentPid: number }
  | { readonly type: "score"; readonly seq: number; readonly batches: readonly BatchInput[] };

/** @returns undefined for anything that no worker says; without a schema library, to keep a lane small */
export function parseToLane(message: unknown): ToLane | undefined {
  return isToLane(message) ? message : undefined;
}

function isToLane(message: unknown): message is ToLane {
  if (typeof message !== "object" || message === null || !("type" in message)) return false;
  if (message.type === "open") {
    if (!("model" in message) || typeof message.model !== "object") return false;
    return "parentPid" in message && typeof message.parentPid === "number";
  }
  if (message.type !== "score" || !("batches" in message) || !("seq" in message)) return false;
  return typeof message.seq === "number" && Array.isArray(message.batches);
}
