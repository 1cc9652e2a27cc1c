import { describe, expect, it } from "vitest";
import {
  CALIBRATION_FORMAT,
  chooseBatches,
  chooseLayout,
  timesAsFast,
  type Calibration,
} from "../../../src/capacity/calibration.js";

const MEASURED: Calibration = {
  format: CALIBRATION_FORMAT,
  key: "k",
  model: "m fp32",
  measuredAt: "2026-01-01T00:00:00.000Z",
  tookMs: 1,
  lane: { readyBytes: 1, openPeakBytes: 1 },
  activation: [],
  timing: [],
  length: 128,
  rows: [
    { rows: 1, pairsPerSecond: 100 },
    { rows: 2, pairsPerSecond: 120 },
    { rows: 4, pairsPerSecond: 121 },
    { rows: 8, pairsPerSecond: 90 },
  ],
  rowsKeepBits: true,
  paddingKeepsBits: false,
  layouts: [
    { lanes: 4, threads: 1, pairsPerSecond: 400 },
    { lanes: 1, threads: 4, pairsPerSecond: 200 },
  ],
};

function withSingle(pairsPerSecond: number): Calibration {
  const [usual] = MEASURED.layouts;
  if (usual === undefined) throw new Error("no usual layout");
  return { ...MEASURED, layouts: [usual, { lanes: 1, threads: 4, pairsPerSecond }] };
}

describe("lanes and threads", () => {
  it("are one lane per core with one thread each, also if nothing was measured", () => {
    expect(chooseLayout(MEASURED, 4, 8, {})).toEqual({ lanes: 4, threads: 1 });
    expect(chooseLayout(undefined, 4, 8, {})).toEqual({ lanes: 4, threads: 1 });
  });

  it("are another layout only if that was clearly faster", () => {
    expect(chooseLayout(withSingle(420), 4, 8, {})).toEqual({ lanes: 4, threads: 1 });
    expect(chooseLayout(withSingle(600), 4, 8, {})).toEqual({ lanes: 1, threads: 4 });
  });

  it("share the cores if memory holds fewer lanes than there are cores", () => {
    expect(chooseLayout(MEASURED, 4, 2, {})).toEqual({ lanes: 2, threads: 2 });
    expect(chooseLayout(MEASURED, 4, 1, {})).toEqual({ lanes: 1, threads: 4 });
  });

  it("are what the operator says, as far as memory allows", () => {
    expect(chooseLayout(MEASURED, 4, 8, { lanes: 3, threads: 2 })).toEqual({
      lanes: 3,
      threads: 2,
    });
    expect(chooseLayout(MEASURED, 4, 2, { lanes: 3, threads: 1 })).toEqual({
      lanes: 2,
      threads: 1,
    });
    expect(chooseLayout(MEASURED, 4, 8, { threads: 2 })).toEqual({ lanes: 2, threads: 2 });
  });
});

describe("batches", () => {
  it("are the smallest that are as fast as any, if rows change no bit", () => {
    expect(chooseBatches(MEASURED, false, {})).toEqual({
      maxBatchSize: 8,
      maxBatchTokens: 256,
      maxPaddingTokens: 0,
    });
    const padded = chooseBatches({ ...MEASURED, paddingKeepsBits: true }, false, {});
    expect(padded.maxPaddingTokens).toBeGreaterThan(0);
  });

  it("are single pairs if rows change bits, or nobody measured whether they do", () => {
    const single = { maxBatchSize: 1, maxPaddingTokens: 0 };
    expect(chooseBatches({ ...MEASURED, rowsKeepBits: false }, false, {})).toMatchObject(single);
    expect(chooseBatches(undefined, false, {})).toMatchObject(single);
  });

  it("are single pairs for a dynamically quantised model, whatever was measured", () => {
    const padded = { ...MEASURED, paddingKeepsBits: true };
    expect(chooseBatches(padded, true, {})).toMatchObject({ maxBatchSize: 1, maxPaddingTokens: 0 });
  });

  it("are as large as the operator asks", () => {
    expect(chooseBatches(MEASURED, false, { maxBatchSize: 3 }).maxBatchSize).toBe(3);
    expect(chooseBatches(MEASURED, false, { maxBatchTokens: 99 }).maxBatchTokens).toBe(99);
  });
});

describe("the gain of a precision over another", () => {
  const timing = [
    { rows: 1, length: 64, value: 5 },
    { rows: 1, length: 128, value: 10 },
  ];

  it("is that of a lane by its processor's time, whatever else the machine did meanwhile", () => {
    const busy = { ...MEASURED, alone: 50, timing: timing.map((one) => ({ ...one, value: 900 })) };
    expect(timesAsFast({ ...MEASURED, alone: 75, timing }, busy)).toBe(1.5);
  });

  it("is that of a batch by the clock if an older version has measured one of them", () => {
    const twice = timing.map(({ value, ...shape }) => ({ ...shape, value: 2 * value }));
    expect(
      timesAsFast({ ...MEASURED, alone: 75, timing }, { ...MEASURED, timing: twice }),
    ).toBeCloseTo(2);
  });
});
