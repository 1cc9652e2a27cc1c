import { describe, expect, it } from "vitest";
import { barLine } from "../../../../producers/cli/progress.js";

const FIGURES = "1000/1209 records · 0 failed · 134 pairs/s · 7533 tokens/s · ETA 2 min 10 s";

describe("the line of a progress bar", () => {
  it("a wide terminal shows a bar of 28 columns before the figures", () => {
    expect(barLine(0.5, FIGURES, 200)).toBe(`${"█".repeat(14)}${"░".repeat(14)} ${FIGURES}`);
  });

  it("a narrow terminal shrinks the bar, and never cuts the figures", () => {
    for (let columns = 40; columns < 120; columns += 1) {
      const line = barLine(1 / 3, FIGURES, columns);
      expect(line.endsWith(FIGURES)).toBe(true);
      expect(line.length).toBeLessThanOrEqual(Math.max(columns - 1, FIGURES.length));
    }
  });

  it("the bar stays within its room if more is done than was counted", () => {
    expect(barLine(1.5, "x", 20)).toBe(`${"█".repeat(17)} x`);
  });
});
