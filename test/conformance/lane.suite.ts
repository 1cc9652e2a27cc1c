/** The rules of every lane. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import type { Lane } from "../../src/core/ports/lane.js";

/** More than any fixture's vocabulary has: the runtime refuses a batch with this id. */
const REFUSED_ID = 1_000_000;

export interface LanePlace {
  readonly lane: Lane;
  /** Lets the message in hand go on, in a lane that waits to be told so. */
  readonly goOn?: () => void;
  /** Keeps a lane from answering that would answer by itself. */
  readonly freeze?: () => void;
  /** Ends the lane's process. */
  readonly kill: (reason: string) => void;
  readonly close?: () => Promise<void>;
}

function pair(...ids: readonly number[]): EncodedPair {
  return { ids: Int32Array.from(ids), secondStart: ids.length >> 1, truncated: false };
}

const PAIRS = [pair(101, 7, 102), pair(50, 8, 9, 10, 102), pair(60, 11, 102)] as const;

export function testLane(name: string, make: () => Promise<LanePlace>): void {
  describe(`the lane ${name}`, () => {
    let place: LanePlace;
    let lane: Lane;

    beforeEach(async () => {
      place = await make();
      ({ lane } = place);
    });

    afterEach(async () => {
      await place.close?.();
    });

    async function score(...batches: (readonly EncodedPair[])[]): Promise<number[][]> {
      const answer = lane.score(batches);
      place.goOn?.();
      return await answer;
    }

    it("gives each pair's logit in the pair's place, however pairs are batched", async () => {
      const [a, b, c] = PAIRS;
      const together = await score([a, b], [c]);
      expect(together.map((batch) => batch.length)).toEqual([2, 1]);
      const apart = await score([c], [b], [a]);
      expect(apart.map((batch) => batch.length)).toEqual([1, 1, 1]);
      const expected = together.flat().toReversed();
      for (const [place, logit] of apart.flat().entries()) {
        expect(logit).toBeCloseTo(expected[place] ?? Number.NaN, 3);
      }
      expect(new Set(apart.flat()).size).toBe(3);
    });

    it("takes one message at a time, and the next one when it has answered", async () => {
      const first = lane.score([PAIRS]);
      await expect(lane.score([PAIRS])).rejects.toThrow("is busy");
      place.goOn?.();
      expect((await first).flat()).toHaveLength(3);
      expect((await score(PAIRS)).flat()).toHaveLength(3);
    });

    it("fails a message that the runtime refuses, and goes on with the next one", async () => {
      const refused = score([pair(REFUSED_ID, 7, 102)]);
      await expect(refused).rejects.toMatchObject({ code: "lane_failed" });
      expect(lane.alive).toBe(true);
      expect((await score(PAIRS)).flat()).toHaveLength(3);
    });

    it("tells how much it grew since it became ready, never less than nothing", async () => {
      expect(lane.grownBytes).toBe(0);
      await score(PAIRS);
      expect(lane.grownBytes).toBeGreaterThanOrEqual(0);
    });

    it("fails what it has in hand when its process goes, says why it went, and never comes back", async () => {
      expect(lane.alive).toBe(true);
      place.freeze?.();
      const inHand = lane.score([PAIRS]);
      place.kill("killed by the test");
      await expect(inHand).rejects.toMatchObject({ code: "lane_failed" });
      expect(await lane.died).toBe("killed by the test");
      expect(lane.alive).toBe(false);
      await expect(lane.score([PAIRS])).rejects.toMatchObject({ code: "lane_failed" });
    });
  });
}
