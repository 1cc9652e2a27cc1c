import type { BatchLimits } from "./batch-plan.js";

/**
 * Batches of a CPU lane where nobody chose any: those under which a pair's score never depends on
 * its batch-mates, not in a single bit.
 */

/** A dynamically quantised model takes one scale a tensor, over all rows and their padding. */
const ONE_ROW: BatchLimits = { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 };

/**
 * A core's cache decides. Measured in fp32 on one thread: batches of up to 512 tokens take 5 to 35 %
 * less a pair than single pairs (the shorter, the more), and larger ones up to 60 % more. Rows of
 * equal length only: padding never changed a bit either, but would depend on the kernels of each CPU.
 */
const EQUAL_ROWS: BatchLimits = { maxBatchTokens: 512, maxBatchSize: 8, maxPaddingTokens: 0 };

/** Tokens that a row may be padded by where the user asks for batches of a size. */
const ASKED_PADDING_TOKENS = 16;

/**
 * The limits of one run.
 *
 * @param dynamicallyQuantised see `ModelFile.dynamicallyQuantised`
 * @param asked what the user chose; a dynamically quantised model is batched only where a size is
 *   asked for, and its scores then depend on the batch
 */
export function batchLimits(
  dynamicallyQuantised: boolean,
  asked: {
    readonly maxBatchTokens?: number | undefined;
    readonly maxBatchSize?: number | undefined;
  },
): BatchLimits {
  const { maxBatchTokens, maxBatchSize } = asked;
  if (dynamicallyQuantised && (maxBatchSize ?? 1) === 1) return ONE_ROW;
  return {
    maxBatchTokens: maxBatchTokens ?? EQUAL_ROWS.maxBatchTokens,
    maxBatchSize: maxBatchSize ?? EQUAL_ROWS.maxBatchSize,
    maxPaddingTokens: dynamicallyQuantised ? ASKED_PADDING_TOKENS : EQUAL_ROWS.maxPaddingTokens,
  };
}
