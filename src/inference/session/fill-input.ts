import type { RerankerInput } from "../../models/onnx/onnx-check.js";
import type { BatchInput, LaneModel } from "../lanes/lane-protocol.js";

/** The numbers of one input of a graph, row by row, each padded to `columns`. */
export function fillInput(
  name: RerankerInput,
  input: BatchInput,
  columns: number,
  { padId, segmentTypeIds }: Pick<LaneModel, "padId" | "segmentTypeIds">,
): Int32Array {
  const filled = new Int32Array(input.ids.length * columns);
  if (name === "input_ids" && padId !== 0) filled.fill(padId);
  input.ids.forEach((ids, row) => {
    const start = row * columns;
    if (name === "input_ids") filled.set(ids, start);
    else if (name === "attention_mask") filled.fill(1, start, start + ids.length);
    else if (segmentTypeIds) {
      filled.fill(1, start + (input.secondStarts[row] ?? ids.length), start + ids.length);
    }
  });
  return filled;
}
