import { describe, expect, it } from "vitest";
import {
  type BatchLimits,
  paddingRatio,
  planBatches,
} from "../../../../src/pipeline/batch/batch-plan.js";

const LIMITS: BatchLimits = { maxBatchTokens: 100, maxBatchSize: 4, maxPaddingTokens: 5 };

/** Lengths of each batch, from a seed: the same numbers on every machine. */
function lengthsFrom(seed: number, count: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return 1 + (state % 120);
  });
}

describe("a plan", () => {
  it("puts pairs of near-equal length together, longest first", () => {
    expect(planBatches([10, 30, 12, 29, 11], LIMITS)).toEqual([
      [1, 3],
      [2, 4, 0],
    ]);
  });

  it("is bound by size, by tokens with padding, and by padding", () => {
    expect(planBatches([5, 5, 5, 5, 5], LIMITS)).toEqual([[0, 1, 2, 3], [4]]);
    expect(planBatches([40, 40, 40], LIMITS)).toEqual([[0, 1], [2]]);
    expect(planBatches([20, 15, 14], LIMITS)).toEqual([[0, 1], [2]]);
    expect(planBatches([7, 6, 7], { ...LIMITS, maxPaddingTokens: 0 })).toEqual([[0, 2], [1]]);
  });

  it("runs a pair that is over the budget alone", () => {
    expect(planBatches([500, 100, 1], LIMITS)).toEqual([[0], [1], [2]]);
  });

  it("is empty for no pairs", () => {
    expect(planBatches([], LIMITS)).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "keeps every promise on arbitrary lengths (seed %i)",
    (seed) => {
      const lengths = lengthsFrom(seed, 200);
      const plan = planBatches(lengths, LIMITS);
      expect(plan.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
      for (const batch of plan) {
        const rows = batch.map((index) => lengths[index] ?? 0);
        const [longest, shortest] = [Math.max(...rows), Math.min(...rows)];
        expect(rows.length).toBeLessThanOrEqual(LIMITS.maxBatchSize);
        expect(longest - shortest).toBeLessThanOrEqual(LIMITS.maxPaddingTokens);
        expect(rows.length === 1 || longest * rows.length <= LIMITS.maxBatchTokens).toBe(true);
      }
      expect(planBatches(lengths, LIMITS)).toEqual(plan);
    },
  );
});

describe("the padding of a plan", () => {
  it("is the share of tokens that belong to no pair", () => {
    expect(paddingRatio([10, 5, 5], [[0, 1], [2]])).toBe(1 - 20 / 25);
    expect(paddingRatio([8, 8], [[0, 1]])).toBe(0);
    expect(paddingRatio([], [])).toBe(0);
  });
});
