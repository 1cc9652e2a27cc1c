import type { BatchLimits } from "../pipeline/batch/batch-plan.js";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";

/**
 * Batches of a CPU lane if the operator sets none: those under which a pair's score never depends on
 * its batch-mates, not in a single bit.
 */

/** A dynamically quantised model takes one scale a tensor, over all rows and their padding, unless in the form `rows`. */
const ONE_ROW: BatchLimits = { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 };

/**
 * A core's cache decides. Measured in fp32 on one thread: batches of up to 512 tokens take 5 to 35 %
 * less time per pair than single pairs (the shorter, the more), and larger ones up to 60 % more. Rows of
 * equal length only: padding never changed a bit either, but would depend on the kernels of each CPU.
 */
const EQUAL_ROWS: BatchLimits = { maxBatchTokens: 512, maxBatchSize: 8, maxPaddingTokens: 0 };

/**
 * The limits of one batch.
 *
 * @param dynamicallyQuantised see `ResolvedModel.dynamicallyQuantised`
 * @param asked what the user chose
 * @throws RankmillError `invalid_option` if batches of a dynamically quantised model are asked for: its
 *   scores would depend on their batch-mates, beside workers on the same queue whose scores do not
 */
export function batchLimits(
  dynamicallyQuantised: boolean,
  asked: {
    readonly maxBatchTokens?: number | undefined;
    readonly maxBatchSize?: number | undefined;
  },
): BatchLimits {
  const { maxBatchTokens, maxBatchSize } = asked;
  if (dynamicallyQuantised) {
    if (maxBatchSize === undefined || maxBatchSize === 1) return ONE_ROW;
    throw new RankmillError(
      "invalid_option",
      wording`${option("maxBatchSize")}: ${maxBatchSize} rows of a dynamically quantised model would make each score depend on its batch; leave it at 1, which is as fast`,
      { field: "maxBatchSize" },
    );
  }
  return {
    maxBatchTokens: maxBatchTokens ?? EQUAL_ROWS.maxBatchTokens,
    maxBatchSize: maxBatchSize ?? EQUAL_ROWS.maxBatchSize,
    maxPaddingTokens: EQUAL_ROWS.maxPaddingTokens,
  };
}
