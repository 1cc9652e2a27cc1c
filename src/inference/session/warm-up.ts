import { describeError, RankmillError } from "../../core/errors.js";
import type { BatchShape } from "../../core/cost/lane-cost.js";
import type { BatchInput } from "../lanes/lane-protocol.js";
import type { Session } from "../runtime/runtime.js";

/**
 * Runs the largest shape that will come, so that the device's arena takes its memory once, at the start,
 * and later shapes find room in it. Halves the rows if that does not fit.
 *
 * @returns the least shape that did not fit; undefined if the first did
 * @throws RankmillError `memory_too_small` if not even one row fits
 */
export async function warmUp(
  session: Pick<Session, "run">,
  largest: BatchShape,
  saysOutOfMemory: (text: string) => boolean,
): Promise<BatchShape | undefined> {
  const { length } = largest;
  let tooLarge: BatchShape | undefined;
  for (let rows = largest.rows; rows >= 1; rows = Math.floor(rows / 2)) {
    try {
      await session.run(madeUp({ rows, length }));
      return tooLarge;
    } catch (error) {
      if (!saysOutOfMemory(describeError(error).message)) throw error;
      tooLarge = { rows, length };
    }
  }
  throw new RankmillError(
    "memory_too_small",
    `the GPU's memory does not hold one pair of ${length} tokens beside the model: free it, or choose a smaller model or precision`,
  );
}

/** Token 0 is in every vocabulary. */
function madeUp({ rows, length }: BatchShape): BatchInput {
  const ids = Array.from({ length: rows }, () => new Int32Array(length));
  // Rows that share one token alone: the most that a graph with keys and values computes of each.
  return { ids, secondStarts: ids.map(() => 1) };
}
