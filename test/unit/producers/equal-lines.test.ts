import { describe, expect, it } from "vitest";
import { EqualLines } from "../../../producers/cli/equal-lines.js";

const MINUTE_MS = 60_000;

function letters(i: number): string {
  return String.fromCodePoint(0x4e00 + (i % 1_000), 0x5e00 + Math.floor(i / 1_000));
}

describe("equal lines of a log", () => {
  it("are written ten times per minute, and counted beyond", () => {
    let nowMs = 0;
    const lines = new EqualLines(() => nowMs);
    const admitted = Array.from({ length: 7_193 }, (_, i) =>
      lines.admit(`queue consumer error: NOPERM for job r${i}a0f3b2c1d4 after ${i} ms`),
    ).filter((leftOut) => leftOut !== undefined);
    expect(admitted).toEqual(Array.from({ length: 10 }, () => 0));
    expect(lines.admit("another text")).toBe(0);
    nowMs = MINUTE_MS;
    expect(lines.admit("queue consumer error: NOPERM for job r1a0f3b2c1d4 after 9 ms")).toBe(7_183);
  });

  it("are told of in time even if none follows, and once", () => {
    const lines = new EqualLines(() => 0);
    for (let i = 0; i < 25; i += 1) lines.admit(`failed ${i} times`);
    expect(lines.takeLeftOut()).toEqual([{ text: "failed # times", leftOut: 15 }]);
    expect(lines.takeLeftOut()).toEqual([]);
    expect(lines.admit("failed 26 times")).toBeUndefined();
    expect(lines.takeLeftOut()).toEqual([{ text: "failed # times", leftOut: 1 }]);
  });

  it("take a bounded number of kinds apart", () => {
    const lines = new EqualLines(() => 0);
    const written = Array.from({ length: 5_000 }, (_, i) => lines.admit(letters(i))).filter(
      (leftOut) => leftOut !== undefined,
    );
    expect(written).toHaveLength(210);
  });
});
