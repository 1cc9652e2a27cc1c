import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_SCORE_ERROR, fastestWithin } from "../../../src/core/choose-way.js";

const FP32 = { name: "fp32", error: 0, pairsPerSecond: 100 };
const W8 = { name: "w8", error: 0.01, pairsPerSecond: 60 };
const ROWS = { name: "rows", error: 0.04, pairsPerSecond: 200 };
const COARSE = { name: "coarse", error: 0.2, pairsPerSecond: 300 };
const ALL = [COARSE, ROWS, W8, FP32];

describe("the choice of a way by its figures", () => {
  it("is the fastest of those that err no more than is allowed", () => {
    expect(fastestWithin(ALL, DEFAULT_MAX_SCORE_ERROR)?.name).toBe("rows");
    expect(fastestWithin(ALL, 0.5)?.name).toBe("coarse");
  });

  it("is a slower one if the faster ones err more than is allowed", () => {
    expect(fastestWithin(ALL, 0.02)?.name).toBe("fp32");
  });

  it("takes an error that is exactly what is allowed", () => {
    expect(fastestWithin(ALL, 0.04)?.name).toBe("rows");
  });

  it("is the more exact one of two that are about as fast", () => {
    const hardlyFaster = { ...ROWS, pairsPerSecond: 105 };
    expect(fastestWithin([hardlyFaster, FP32], 1)?.name).toBe("fp32");
  });

  it("is none if every way errs more", () => {
    expect(fastestWithin([ROWS, COARSE], 0.01)).toBeUndefined();
  });
});
