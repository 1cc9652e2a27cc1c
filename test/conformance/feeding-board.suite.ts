/** The rules of every feeding board. */
import { describe, expect, it } from "vitest";
import type { FeedingBoard } from "../../src/core/ports/feeding-board.js";

/** @param make makes a board on which nobody stands */
export function testFeedingBoard(name: string, make: () => FeedingBoard): void {
  describe(`the feeding board ${name}`, () => {
    it("shows a feeder how many others there are, and what workers drain of them together", async () => {
      const board = make();
      expect(await board.post("one", 100)).toEqual({ runs: 0, bytesPerSecond: 0 });
      expect(await board.post("two", 30)).toEqual({ runs: 1, bytesPerSecond: 100 });
      expect(await board.post("three", 0)).toEqual({ runs: 2, bytesPerSecond: 130 });
    });

    it("shows of each feeder what it said last, and never itself", async () => {
      const board = make();
      await board.post("one", 100);
      expect(await board.post("one", 7)).toEqual({ runs: 0, bytesPerSecond: 0 });
      expect(await board.post("two", 30)).toEqual({ runs: 1, bytesPerSecond: 7 });
    });

    it("shows a feeder no more that has gone", async () => {
      const board = make();
      await board.post("one", 100);
      await board.post("two", 30);
      await board.remove("one");
      await board.remove("a stranger");
      expect(await board.post("two", 30)).toEqual({ runs: 0, bytesPerSecond: 0 });
    });
  });
}
