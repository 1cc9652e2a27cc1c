import { describe, expect, it } from "vitest";
import { batchLimits } from "../../../src/capacity/batch-defaults.js";

describe("batches that nobody has set", () => {
  it("hold rows of equal length only", () => {
    expect(batchLimits(false, {}).maxPaddingTokens).toBe(0);
    expect(batchLimits(false, {}).maxBatchSize).toBeGreaterThan(1);
  });

  it("hold one row if the model is dynamically quantised", () => {
    expect(batchLimits(true, {}).maxBatchSize).toBe(1);
    expect(batchLimits(true, { maxBatchSize: 1, maxBatchTokens: 4_096 }).maxBatchSize).toBe(1);
  });
});

describe("batches that are asked for", () => {
  it("keep the numbers given", () => {
    expect(batchLimits(false, { maxBatchSize: 3, maxBatchTokens: 77 })).toEqual({
      maxBatchSize: 3,
      maxBatchTokens: 77,
      maxPaddingTokens: 0,
    });
  });

  it("are refused if they would make a score depend on its batch-mates", () => {
    expect(() => batchLimits(true, { maxBatchSize: 4 })).toThrow(/maxBatchSize: 4 rows/);
  });
});
