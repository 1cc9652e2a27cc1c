import { describe, expect, it } from "vitest";
import { shareOfSpread } from "../../../../src/capacity/measure/score-error-file.js";
import { differenceOf } from "../../../../src/app/ways/measure-error.js";

describe("the error of scores against those of fp32", () => {
  it("is the largest difference as a share of the spread of fp32's", () => {
    const found = differenceOf([-4, 0, 6], [-4.5, 0.1, 6]);
    expect(found).toEqual({ largestDifference: 0.5, spread: 10 });
    expect(shareOfSpread(found)).toBeCloseTo(0.05);
  });

  it("is without bound if fp32 tells no two texts apart and the other does", () => {
    expect(shareOfSpread({ largestDifference: 0.1, spread: 0 })).toBe(Infinity);
    expect(shareOfSpread({ largestDifference: 0, spread: 0 })).toBe(0);
  });

  it("is refused if a score is missing or no number", () => {
    expect(() => differenceOf([1, 2], [1])).toThrow("no numbers");
    expect(() => differenceOf([1, 2], [1, Number.NaN])).toThrow("no numbers");
  });
});
