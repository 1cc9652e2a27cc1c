import { describe, expect, it } from "vitest";
import { retryDelayMs } from "../../../src/redis/retry.js";

describe("the wait before another attempt", () => {
  it("doubles, up to a minute", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((attempt) => retryDelayMs(attempt, 1));
    expect(longest).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  });

  it("is spread over its upper half", () => {
    expect([0, 0.5, 1].map((random) => retryDelayMs(3, random))).toEqual([2_000, 3_000, 4_000]);
  });
});
