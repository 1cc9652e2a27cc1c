import type { Calibration } from "../../src/capacity/calibration.js";

/** What was measured of a model, as tests need it. */
export const CALIBRATION: Calibration = {
  format: 2,
  key: "k",
  model: "m",
  host: "h",
  measuredAt: "2026-01-01T00:00:00.000Z",
  tookMs: 10,
  lane: { readyBytes: 1_000, openPeakBytes: 2_000 },
  activation: [{ rows: 1, length: 64, value: 1_000 }],
  timing: [{ rows: 1, length: 64, value: 2 }],
  length: 64,
  rows: [{ rows: 1, pairsPerSecond: 100 }],
  rowsKeepBits: true,
  paddingKeepsBits: true,
  layouts: [{ lanes: 1, threads: 1, pairsPerSecond: 100 }],
};
