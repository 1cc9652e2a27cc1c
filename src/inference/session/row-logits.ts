import { logitsOfRows, whyNotNumbers, type HeadUse } from "../../core/heads/head-use.js";
import { unusable } from "./unusable.js";

/**
 * The logits of the rows of a batch, out of all numbers that the graph gave for it.
 *
 * @throws RankmillError `model_unusable` if they are no numbers of so many rows
 */
export function rowLogits(numbers: Float32Array, rows: number, head: HeadUse): Float32Array {
  const perRow = numbers.length / rows;
  if (!Number.isInteger(perRow)) {
    throw unusable(`it gave ${numbers.length} numbers for ${rows} pairs`);
  }
  const why = whyNotNumbers(perRow, head);
  if (why !== undefined) throw unusable(why);
  return logitsOfRows(numbers, rows, head);
}
