import { expect, it } from "vitest";
import { LateTurns } from "../../../src/platform/late-turns.js";

it("a turn after a standstill came late, and the next one did not", () => {
  let nowMs = 0;
  const turns = new LateTurns(10, () => nowMs);
  const at = (ms: number): boolean => {
    nowMs = ms;
    return turns.cameLate();
  };
  expect([10, 29, 39, 100, 110].map(at)).toEqual([false, false, false, true, false]);
});
