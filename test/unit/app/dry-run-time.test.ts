import { describe, expect, it } from "vitest";
import { forecastTime, type MeasuredWork } from "../../../src/app/dry-run-time.js";

const WORK: MeasuredWork = {
  startSeconds: 2,
  cores: 2,
  lanes: 2,
  lanesTakeCores: true,
  pairs: 1_000,
  pairsPerSecond: 100,
  differentDocuments: 200,
  tokenizedPerSecond: 50,
  handlingSeconds: 2,
};

describe("the time of a run", () => {
  it("is all work over the cores, after the start", () => {
    expect(forecastTime(WORK)).toMatchObject({
      scoringSeconds: 10,
      tokenizingSeconds: 4,
      workSeconds: 16,
      expectedSeconds: 10,
    });
  });

  it("is that of the lanes if they are fewer than the cores would bear", () => {
    expect(forecastTime({ ...WORK, cores: 16, lanes: 1 }).expectedSeconds).toBe(12);
  });

  it("is that of the cores if lanes have devices of their own and wait for tokens", () => {
    const onCards = { ...WORK, lanesTakeCores: false, pairsPerSecond: 10_000, cores: 1 };
    expect(forecastTime(onCards).expectedSeconds).toBe(8);
  });

  it("is that of the start if there is nothing to score", () => {
    const nothing = { pairs: 0, pairsPerSecond: 0, differentDocuments: 0, tokenizedPerSecond: 0 };
    expect(forecastTime({ ...WORK, ...nothing, handlingSeconds: 0 }).expectedSeconds).toBe(2);
  });
});
