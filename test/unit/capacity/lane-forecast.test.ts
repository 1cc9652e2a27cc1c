import { describe, expect, it } from "vitest";
import { forecastLanes } from "../../../src/capacity/lane-forecast.js";
import { CALIBRATION } from "../../support/calibration.js";

const NEEDS = {
  baseBytes: 1_000,
  sharedBytes: 500,
  lane: { readyBytes: 100, openPeakBytes: 200 },
  wantedLanes: 2,
  leastActivationBytes: 10,
};
const SINGLE = { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 };
const EIGHT = { maxBatchTokens: 512, maxBatchSize: 8, maxPaddingTokens: 0 };
const MEASURED = {
  ...CALIBRATION,
  timing: [
    { rows: 1, length: 32, value: 5 },
    { rows: 1, length: 64, value: 10 },
    { rows: 1, length: 128, value: 20 },
  ],
  layouts: [{ lanes: 2, threads: 1, pairsPerSecond: 150 }],
  rows: [
    { rows: 1, pairsPerSecond: 100 },
    { rows: 8, pairsPerSecond: 120 },
  ],
};

describe("the forecast of lanes", () => {
  it("has the speed that was measured of so many lanes", () => {
    const { pairsPerSecond } = forecastLanes(MEASURED, { lanes: 2, threads: 1 }, SINGLE, NEEDS);
    expect(pairsPerSecond).toBe(150);
  });

  it("computes a speed that was not measured from the time of one thread", () => {
    const { pairsPerSecond } = forecastLanes(MEASURED, { lanes: 3, threads: 1 }, SINGLE, NEEDS);
    expect(pairsPerSecond).toBeCloseTo(300);
  });

  it("takes one lane's speed by its processor's time before that by the clock", () => {
    const busy = { ...MEASURED, alone: 70, layouts: [] };
    const forecast = forecastLanes(busy, { lanes: 2, threads: 1 }, SINGLE, NEEDS);
    expect(forecast).toMatchObject({ pairsPerSecond: 140, unhindered: 140, isMeasured: false });
  });

  it("counts what batches gain only if they are allowed", () => {
    const forecast = forecastLanes(MEASURED, { lanes: 2, threads: 1 }, EIGHT, NEEDS);
    expect(forecast.pairsPerSecond).toBeCloseTo(180);
  });

  it("adds up the memory of the worker, of what lanes share, and of each lane", () => {
    const one = forecastLanes(MEASURED, { lanes: 1, threads: 1 }, SINGLE, NEEDS);
    const two = forecastLanes(MEASURED, { lanes: 2, threads: 1 }, SINGLE, NEEDS);
    expect(two.bytes - one.bytes).toBe(one.bytes - NEEDS.baseBytes - NEEDS.sharedBytes);
  });
});
