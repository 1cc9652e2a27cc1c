import { describe, expect, it } from "vitest";
import {
  progressBlock,
  progressLine,
  type Pace,
  type ProgressFigures,
} from "../../../../producers/cli/progress-lines.js";

const FIGURES: ProgressFigures = {
  done: 1_000,
  failed: 0,
  total: 1_209,
  pairs: 60_000,
  tokens: 3_000_000,
};
const PACE: Pace = {
  speed: { recordsPerSecond: 2, pairsPerSecond: 134, tokensPerSecond: 7533, overSeconds: 30 },
  elapsedSeconds: 500,
  leftSeconds: 130,
};
/** Longer than any run is. */
const WORST: readonly [ProgressFigures, Pace] = [
  { ...FIGURES, done: 1_234_567, failed: 12_345, total: 9_999_999 },
  {
    speed: {
      ...PACE.speed,
      recordsPerSecond: 1,
      overSeconds: 30,
      pairsPerSecond: 123_456,
      tokensPerSecond: 1e7,
    },
    elapsedSeconds: 45_240,
    leftSeconds: 445_500,
  },
];

function block(figures: ProgressFigures, pace: Pace, columns: number): string[] {
  return progressBlock(figures, pace, columns).map(String);
}

describe("the block of progress", () => {
  it("a wide terminal shows a bar and every figure in two lines", () => {
    expect(block(FIGURES, PACE, 120)).toEqual([
      `${"█".repeat(24)}${"░".repeat(6)}  82 %  1,000/1,209 records · 0 failed`,
      "134 pairs/s · 8 min 20 s elapsed · 2 min 10 s left · 7,533 tokens/s",
    ]);
  });

  it("every width from 60 columns on has room for how far, how fast, how long and what failed", () => {
    for (let columns = 60; columns <= 200; columns += 1) {
      for (const [figures, pace] of [WORST, [FIGURES, PACE]] as const) {
        const [first = "", second = ""] = block(figures, pace, columns);
        expect(first.length).toBeLessThan(columns);
        expect(second.length).toBeLessThan(columns);
        expect(first).toMatch(/ %  [\d,]+\/[\d,]+ records · [\d,]+ failed$/);
        expect(second).toMatch(/ pairs\/s · .+ elapsed · .+ left/);
      }
    }
  });

  it("an input whose end is not known has no bar and no time left", () => {
    const { speed } = PACE;
    const pace = { speed, elapsedSeconds: 3, leftSeconds: undefined };
    expect(block({ ...FIGURES, total: undefined }, pace, 60)).toEqual([
      "1,000 records · 0 failed",
      "134 pairs/s · 3 s elapsed · time left not known",
    ]);
  });

  it("the bar stays within its room if more is done than was counted", () => {
    const [line = ""] = block({ ...FIGURES, done: 2_000 }, PACE, 80);
    expect(line).toMatch(/^█{30} {2}100 % /);
  });
});

it("a line of progress for a log holds every figure", () => {
  expect(progressLine(FIGURES, PACE)).toBe(
    "1000/1209 records · 0 failed · 134 pairs/s · 7533 tokens/s · ETA 2 min 10 s",
  );
});
