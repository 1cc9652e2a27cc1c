import { createHash } from "node:crypto";
import type { Form } from "../../core/forms/registry.js";
import type { CpuFeatures } from "../host/cpu-features.js";
import type { LaneModel } from "../lanes/lane-protocol.js";
import { sessionOptions } from "../session/session-options.js";

/** Bumped when the layout of a prepared folder changes, or what is checked before it is published. */
export const PREPARED_FORMAT = 2;

export const GRAPH_NAME = "model.onnx";
export const DATA_NAME = "model.onnx.data";

/** Digits of the model's digest and of the rest in a key: enough to tell them apart, short to read. */
const DIGEST_DIGITS = 12;
const REST_DIGITS = 16;

/** Everything that a prepared model depends on. */
export interface KeyParts {
  /** sha256, hex. */
  readonly modelDigest: string;
  /** Version of onnxruntime-node. */
  readonly runtime: string;
  readonly cpu: CpuFeatures;
  readonly model: LaneModel;
  /** The numeric form that it is prepared in. */
  readonly form?: Form | undefined;
}

/** Name of the folder of a prepared model: another input of its making, another folder. */
export function preparedKey(parts: KeyParts): string {
  const { modelDigest, runtime, cpu, form } = parts;
  // They name the prepared file only, never the original's path.
  const options = sessionOptions(parts.model, { onnxPath: GRAPH_NAME, dataName: DATA_NAME });
  const rest = createHash("sha256").update(
    JSON.stringify([
      PREPARED_FORMAT,
      modelDigest,
      runtime,
      cpu.arch,
      // The CPU's name says too much if the flags are known: one prepared model serves all
      // machines whose kernels are the same.
      cpu.flags ?? cpu.model,
      options,
      // None for the file's own numbers: what was prepared of them stays.
      ...(form === undefined ? [] : [form]),
    ]),
  );
  return `${modelDigest.slice(0, DIGEST_DIGITS)}-${rest.digest("hex").slice(0, REST_DIGITS)}`;
}
