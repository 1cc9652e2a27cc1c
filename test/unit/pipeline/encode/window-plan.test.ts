import { describe, expect, it } from "vitest";
import {
  planWindows,
  type WindowPlan,
  type WindowPlanOptions,
} from "../../../../src/pipeline/encode/window-plan.js";
import { SeededRandom } from "../../../support/random.js";

const WIDE: WindowPlanOptions = {
  roomTokens: 10,
  overlapTokens: 0,
  maxWindows: 100,
  maxTokens: Infinity,
};

/** First and end piece of each window. */
function spans(pieceTokens: readonly number[], options: Partial<WindowPlanOptions>): number[][] {
  const { windows } = planWindows(pieceTokens, { ...WIDE, ...options });
  return windows.map(({ firstPiece, endPiece }) => [firstPiece, endPiece]);
}

/** The windows of a document of four pieces. */
function fourFives(maxTokens: number): WindowPlan {
  return planWindows([5, 5, 5, 5], { ...WIDE, maxTokens });
}

describe("a document's windows", () => {
  it("are none if it is empty, and one if it just fits", () => {
    expect(planWindows([], WIDE)).toEqual({ windows: [], readsAll: true });
    expect(spans([5, 5], {})).toEqual([[0, 2]]);
    expect(spans([5, 5, 1], {})).toEqual([
      [0, 2],
      [2, 3],
    ]);
  });

  it("share as many pieces as make the overlap, and say how many tokens come before", () => {
    const { windows, readsAll } = planWindows([4, 4, 4, 4, 4], {
      ...WIDE,
      roomTokens: 12,
      overlapTokens: 5,
    });
    expect(windows).toEqual([
      { firstPiece: 0, endPiece: 3, tokensBefore: 0 },
      { firstPiece: 1, endPiece: 4, tokensBefore: 4 },
      { firstPiece: 2, endPiece: 5, tokensBefore: 8 },
    ]);
    expect(readsAll).toBe(true);
  });

  it("give up overlap if the next piece would find no room", () => {
    expect(spans([3, 3, 3, 9, 1], { overlapTokens: 5 })).toEqual([
      [0, 3],
      [3, 5],
    ]);
    expect(spans([3, 3, 3, 7, 1], { overlapTokens: 5 })).toEqual([
      [0, 3],
      [2, 4],
      [3, 5],
    ]);
  });

  it("hold a piece alone that is longer than a window", () => {
    expect(spans([2, 30, 2], { overlapTokens: 4 })).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it("end with the most that are allowed, and say that something is left", () => {
    const plan = planWindows([5, 5, 5, 5, 5], { ...WIDE, maxWindows: 2 });
    expect(plan.windows).toHaveLength(2);
    expect(plan.readsAll).toBe(false);
    expect(planWindows([5, 5, 5, 5], { ...WIDE, maxWindows: 2 }).readsAll).toBe(true);
  });

  it("end in the piece that reaches the document's limit", () => {
    expect(fourFives(12).windows.map(({ endPiece }) => endPiece)).toEqual([2, 3]);
    expect(fourFives(12).readsAll).toBe(false);
    expect(fourFives(10).windows.map(({ endPiece }) => endPiece)).toEqual([2]);
    expect(fourFives(3).windows).toEqual([{ firstPiece: 0, endPiece: 1, tokensBefore: 0 }]);
    expect(fourFives(20).readsAll).toBe(true);
  });

  it("cover all pieces, fit, overlap and move on, whatever the pieces are", () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 500; round += 1) {
      const pieces = Array.from({ length: random.between(1, 60) }, () => random.between(0, 8));
      const roomTokens = random.between(8, 37);
      const overlapTokens = random.between(0, Math.floor(roomTokens / 2));
      const { windows, readsAll } = planWindows(pieces, { ...WIDE, roomTokens, overlapTokens });
      const sum = (from: number, to: number): number =>
        pieces.slice(from, to).reduce((total, tokens) => total + tokens, 0);
      expect(readsAll).toBe(true);
      expect([windows[0]?.firstPiece, windows.at(-1)?.endPiece]).toEqual([0, pieces.length]);
      for (const [i, { firstPiece, endPiece, tokensBefore }] of windows.entries()) {
        expect(tokensBefore).toBe(sum(0, firstPiece));
        expect(sum(firstPiece, endPiece)).toBeLessThanOrEqual(roomTokens);
        const next = windows[i + 1];
        if (next === undefined) continue;
        expect(next.firstPiece).toBeGreaterThan(firstPiece);
        expect(next.firstPiece).toBeLessThanOrEqual(endPiece);
        expect(next.endPiece).toBeGreaterThan(endPiece);
        // One piece more would not have fitted, or the overlap is there.
        const shared = sum(next.firstPiece, endPiece);
        const oneMore = sum(next.firstPiece - 1, endPiece + 1);
        expect(
          shared >= overlapTokens || oneMore > roomTokens || next.firstPiece - 1 === firstPiece,
        ).toBe(true);
      }
    }
  });
});
