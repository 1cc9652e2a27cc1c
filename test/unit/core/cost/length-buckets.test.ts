import { describe, expect, it } from "vitest";
import { planBatches } from "../../../../src/pipeline/batch/batch-plan.js";
import { lengthBuckets, paddedLength } from "../../../../src/core/cost/length-buckets.js";

describe("length buckets", () => {
  it("are few, ascending, and end with the model's longest pair", () => {
    expect(lengthBuckets(512)).toEqual([32, 64, 96, 128, 192, 256, 384, 512]);
    expect(lengthBuckets(514).at(-1)).toBe(514);
    expect(lengthBuckets(8_192)).toHaveLength(16);
    expect(lengthBuckets(8)).toEqual([8]);
  });

  it("never pad a row of some length by more than half of its own", () => {
    const buckets = lengthBuckets(8_192);
    for (let length = 65; length <= 8_192; length += 1) {
      const padded = paddedLength(length, buckets);
      expect(padded).toBeGreaterThanOrEqual(length);
      expect(padded).toBeLessThan(length * 1.5);
    }
  });

  it("leave a row alone that is longer than any of them, and all rows if there are none", () => {
    expect(paddedLength(600, [32, 512])).toBe(600);
    expect(paddedLength(33, undefined)).toBe(33);
  });

  it("make the shapes of all batches a closed set", () => {
    const buckets = lengthBuckets(512);
    const limits = {
      maxBatchTokens: 1_024,
      maxBatchSize: 16,
      maxPaddingTokens: 0,
      lengthBuckets: buckets,
    };
    const lengths = Array.from({ length: 500 }, (_, index) => (index % 512) + 1);
    const batches = planBatches(lengths, limits);
    expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
    for (const batch of batches) {
      const padded = new Set(batch.map((index) => paddedLength(lengths[index] ?? 0, buckets)));
      expect(padded.size, "one bucket a batch").toBe(1);
      const [length = 0] = padded;
      expect(batch.length * length).toBeLessThanOrEqual(1_024);
      expect(batch.length).toBeLessThanOrEqual(16);
    }
    // Rows that share a bucket do share batches.
    expect(batches.length).toBeLessThan(lengths.length / 2);
  });
});
