/** The rules of every scorer of pairs. */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { RankmillError } from "../../src/core/errors.js";
import type { PairOutcome } from "../../src/core/pair.js";
import type { PairScorer } from "../../src/core/ports/pair-scorer.js";
import { pairOf } from "../support/pairs.js";
import { turn } from "../support/turn.js";

/** The first id of a pair that cannot be scored. */
export const UNSCORABLE = 13;

function scored(ids: readonly number[]): PairOutcome[] {
  return ids.map((logit) => ({ status: "scored", logit }));
}

export interface ScorerPlace {
  /** Gives each pair's first id as its logit. */
  readonly scorer: PairScorer;
  /** No lane can work any more. */
  readonly fail: (error: RankmillError) => void;
}

/** @param make makes a scorer that awaits `mayScore` before it scores */
export function testPairScorer(
  name: string,
  make: (mayScore: Promise<unknown>) => ScorerPlace,
): void {
  const never = new AbortController().signal;
  const atOnce = Promise.resolve();

  async function ask({ scorer }: ScorerPlace, ids: readonly number[]): Promise<PairOutcome[]> {
    const pairs = ids.map((id) => pairOf(id));
    return await scorer.score(pairs, "bulk", never);
  }

  describe(`the scorer ${name}`, () => {
    it("gives one outcome per pair, in order, equal pairs included", async () => {
      const ids = [5, 3, 9, 3, 1, 12, 5];
      const place = make(atOnce);
      expect(await ask(place, ids)).toEqual(scored(ids));
      expect(await ask(place, ids.toReversed())).toEqual(scored(ids.toReversed()));
      expect(await ask(place, [])).toEqual([]);
    });

    it("gives each of several jobs its own outcomes, whatever their priority", async () => {
      const { scorer } = make(atOnce);
      const jobs = [
        [1, 2, 3],
        [3, 2],
        [7, 1, 3, 8],
      ];
      const outcomes = await Promise.all(
        jobs.map((ids, at) => {
          const pairs = ids.map((id) => pairOf(id));
          return scorer.score(pairs, at === 1 ? "interactive" : "bulk", never);
        }),
      );
      expect(outcomes).toEqual(jobs.map(scored));
    });

    it("says why of a pair that cannot be scored, and scores those beside it", async () => {
      const place = make(atOnce);
      const [first, failed, last] = await ask(place, [2, UNSCORABLE, 4]);
      expect([first, last]).toEqual(scored([2, 4]));
      expect(failed).toEqual({
        status: "failed",
        code: expect.any(String) as string,
        message: expect.any(String) as string,
      });
      expect((await ask(place, [UNSCORABLE]))[0]?.status).toBe("failed");
    });

    it("adds up for how long pairs were being scored, and never more than its caller waited", async () => {
      const { scorer } = make(atOnce);
      const startMs = performance.now();
      const time = { laneMs: 0 };
      for (const ids of [[1, 2, 3], [4]]) {
        const before = time.laneMs;
        await scorer.score(
          ids.map((id) => pairOf(id)),
          "bulk",
          never,
          time,
        );
        expect(time.laneMs).toBeGreaterThan(before);
      }
      expect(time.laneMs).toBeLessThanOrEqual(performance.now() - startMs);
      await scorer.score([], "bulk", never, time);
    });

    it("ends a job with `cancelled` if its signal aborts while it waits, and no other job", async () => {
      const gate = new AbortController();
      const { scorer } = make(once(gate.signal, "abort"));
      const cancelling = new AbortController();
      const cancelled = scorer.score([pairOf(1)], "bulk", cancelling.signal);
      const kept = scorer.score([pairOf(2)], "bulk", never);
      await turn();
      cancelling.abort(new Error("the reason"));
      await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
      gate.abort();
      expect(await kept).toEqual(scored([2]));
    });

    it("ends a job with `cancelled` if its signal has aborted before", async () => {
      const { scorer } = make(atOnce);
      const aborted = AbortSignal.abort(new Error("the reason"));
      const cancelled = scorer.score([pairOf(1)], "bulk", aborted);
      await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    });

    it("fails all jobs if no lane can work", async () => {
      const place = make(new Promise(() => {}));
      const waiting = ask(place, [1]);
      place.fail(new RankmillError("lane_failed", "no lane can work"));
      await expect(waiting).rejects.toMatchObject({ code: "lane_failed" });
      await expect(ask(place, [2])).rejects.toMatchObject({ code: "lane_failed" });
    });
  });
}
