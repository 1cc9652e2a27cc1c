/** The rules of every source of a lane's work. */
import { describe, expect, it } from "vitest";
import type { EncodedPair, PairOutcome } from "../../src/core/pair.js";
import type { BatchSource } from "../../src/core/ports/batch-source.js";
import { HandLane } from "../support/fakes/hand-lane.js";
import { QuickLane } from "../support/fakes/quick-lane.js";
import { pairOf } from "../support/pairs.js";
import { turn } from "../support/turn.js";

export interface SourcePlace {
  readonly source: BatchSource;
  /** Puts pairs among the work that waits. */
  readonly ask: (pairs: readonly EncodedPair[]) => Promise<PairOutcome[]>;
}

const PAIRS = [pairOf(1), pairOf(2), pairOf(3)];
const SCORED = [1, 2, 3].map((logit) => ({ status: "scored", logit }));

export function testBatchSource(name: string, make: () => SourcePlace): void {
  describe(`the source of work ${name}`, () => {
    it("gives a lane the work that waits and the work that comes, until its signal aborts", async () => {
      const { source, ask } = make();
      const stop = new AbortController();
      const waiting = ask(PAIRS);
      const served = source.serve(new QuickLane(), stop.signal);
      expect(await waiting).toEqual(SCORED);
      await turn();
      expect(await ask(PAIRS)).toEqual(SCORED);
      stop.abort();
      expect(await served).toBeUndefined();
    });

    it("gives nothing to a lane whose signal has aborted before", async () => {
      const { source, ask } = make();
      const lane = new QuickLane();
      const waiting = ask(PAIRS);
      expect(await source.serve(lane, AbortSignal.abort())).toBeUndefined();
      expect(lane.messages).toEqual([]);
      const stop = new AbortController();
      const served = source.serve(new QuickLane(), stop.signal);
      expect(await waiting).toEqual(SCORED);
      stop.abort();
      await served;
    });

    it("gives what a lane had in hand when it died to another, and throws what the lane threw", async () => {
      const { source, ask } = make();
      const stop = new AbortController();
      const dying = new HandLane(0);
      const waiting = ask(PAIRS);
      const served = source.serve(dying, stop.signal);
      served.catch(() => undefined);
      await turn();
      expect(dying.messages).toHaveLength(1);
      dying.die("killed by the test");
      await expect(served).rejects.toThrow("killed by the test");
      const other = source.serve(new QuickLane(), stop.signal);
      expect(await waiting).toEqual(SCORED);
      stop.abort();
      await other;
    });

    it("goes on with a lane that failed and lives, and has the failed pairs scored", async () => {
      const { source, ask } = make();
      const stop = new AbortController();
      const lane = new HandLane();
      const waiting = ask(PAIRS);
      const served = source.serve(lane, stop.signal);
      await turn();
      await lane.fail();
      while (lane.busy) await lane.answer();
      expect(await waiting).toEqual(SCORED);
      stop.abort();
      expect(await served).toBeUndefined();
    });

    it("gives no pair to two lanes at once", async () => {
      const { source, ask } = make();
      const stop = new AbortController();
      const lanes = [new HandLane(0), new HandLane(1)];
      const pairs = Array.from({ length: 40 }, (_, i) => pairOf(i));
      const waiting = ask(pairs);
      const serving = lanes.map((lane) => source.serve(lane, stop.signal));
      await turn();
      expect(lanes.map(({ busy }) => busy)).toEqual([true, true]);
      while (lanes.some(({ busy }) => busy)) {
        for (const lane of lanes) await lane.answer();
      }
      expect(await waiting).toHaveLength(40);
      const given = lanes.flatMap(({ messages }) => messages).flat(2);
      expect(given.sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
      stop.abort();
      await Promise.all(serving);
    });
  });
}
