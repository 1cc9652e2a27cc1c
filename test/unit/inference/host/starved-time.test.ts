import { describe, expect, it } from "vitest";
import { readStarvedMs, starvedBetween } from "../../../../src/inference/host/starved-time.js";

describe("time without a processor", () => {
  it.runIf(process.platform === "linux")("is told for each thread of a living process", () => {
    const starved = readStarvedMs(process.pid);
    expect(starved.get(String(process.pid))).toBeGreaterThanOrEqual(0);
  });

  it("is not told for a process that is gone", () => {
    expect(readStarvedMs(2 ** 30).size).toBe(0);
  });

  it("is that of the thread that waited longest, new threads included", () => {
    const before = new Map([
      ["1", 1_000],
      ["2", 7_000],
    ]);
    const after = new Map([
      ["1", 1_300],
      ["2", 7_100],
      ["3", 200],
    ]);
    expect(starvedBetween(before, after)).toBe(300);
    expect(starvedBetween(before, new Map())).toBe(0);
  });
});
