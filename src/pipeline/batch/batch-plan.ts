import { paddedLength } from "../../core/cost/length-buckets.js";

/** Bounds of one `session.run`. */
export interface BatchLimits {
  /** Token budget: rows × longest row, padding included. One pair longer than it runs alone. */
  readonly maxBatchTokens: number;
  /** Rows. */
  readonly maxBatchSize: number;
  /** A row may be padded by at most this many tokens; 0: only rows of equal length share a batch. */
  readonly maxPaddingTokens: number;
  /**
   * Ascending. Only rows that are padded to the same one share a batch, and a batch counts as long as
   * that: the shapes of a device whose memory grows with each new one. Rows keep their length without.
   */
  readonly lengthBuckets?: readonly number[] | undefined;
  /** A further bound, such as on memory; asked for two rows and more. */
  readonly fits?: (rows: number, longest: number) => boolean;
}

/**
 * Groups pairs of near-equal length into batches that keep the limits.
 *
 * Longest first, so that the padding of a batch is known from its first row and the costliest
 * batches start earliest.
 *
 * @param lengths tokens of each pair
 * @returns lists of indices into `lengths`, every index exactly once
 */
export function planBatches(lengths: ArrayLike<number>, limits: BatchLimits): number[][] {
  const order = Array.from({ length: lengths.length }, (_, index) => index);
  order.sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  let longest = 0;
  for (const index of order) {
    const length = paddedLength(lengths[index] ?? 0, limits.lengthBuckets);
    const fits =
      batch.length > 0 &&
      batch.length < limits.maxBatchSize &&
      longest * (batch.length + 1) <= limits.maxBatchTokens &&
      longest - length <= limits.maxPaddingTokens &&
      limits.fits?.(batch.length + 1, longest) !== false;
    if (fits) {
      batch.push(index);
    } else {
      batch = [index];
      longest = length;
      batches.push(batch);
    }
  }
  return batches;
}

/** Share of a plan's tokens that is padding, 0 … 1. */
export function paddingRatio(lengths: ArrayLike<number>, batches: readonly number[][]): number {
  let padded = 0;
  let real = 0;
  for (const batch of batches) {
    const rows = batch.map((index) => lengths[index] ?? 0);
    padded += Math.max(...rows) * rows.length;
    real += rows.reduce((sum, length) => sum + length, 0);
  }
  return padded === 0 ? 0 : 1 - real / padded;
}
