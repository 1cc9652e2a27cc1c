import { paddedLength } from "../../../core/cost/length-buckets.js";
import type { RerankerInput } from "../../../models/onnx/onnx-check.js";
import type { BatchInput, LaneModel } from "../../lanes/lane-protocol.js";
import { fillInput } from "../../session/fill-input.js";
import { ELEMENT } from "./openvino-library.js";
import type { OpenVinoModel } from "./openvino-model.js";

/** An input of a graph, and the type of its numbers. */
export interface Input {
  readonly name: RerankerInput;
  readonly type: number;
}

/** Binds the inputs of a compiled model to the numbers of a batch. */
export function bindInputs(
  compiled: OpenVinoModel,
  inputs: readonly Input[],
  input: BatchInput,
  model: LaneModel,
): void {
  const longest = input.ids.reduce((most, ids) => Math.max(most, ids.length), 0);
  const columns = paddedLength(longest, model.lengthBuckets);
  for (const { name, type } of inputs) {
    const filled = fillInput(name, input, columns, model);
    const values = type === ELEMENT.int32 ? filled : BigInt64Array.from(filled, BigInt);
    compiled.bind(name, type, values, [input.ids.length, columns]);
  }
}
