import { describe, expect, it } from "vitest";
import { activate } from "../../../src/core/activation.js";

describe("the public score", () => {
  it("is the logistic function of the logit, or the logit itself", () => {
    expect(activate(0, "sigmoid")).toBe(0.5);
    expect(activate(Math.log(3), "sigmoid")).toBeCloseTo(0.75, 12);
    expect(activate(-12.5, "identity")).toBe(-12.5);
  });

  it("stays between 0 and 1 and keeps the order as far as numbers go", () => {
    const scores = [-1_000, -30, -1, 0, 1, 30, 1_000].map((logit) => activate(logit, "sigmoid"));
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(scores.at(0)).toBe(0);
    expect(scores.at(-1)).toBe(1);
  });
});
