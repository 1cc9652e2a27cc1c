import { describe, expect, it } from "vitest";
import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair, PairOutcome } from "../../../src/core/pair.js";
import type { WorkEvent } from "../../../src/core/work-events.js";
import { CachedScorer } from "../../../src/pipeline/cached-scorer.js";
import { FunctionScorer, type ScorerCall } from "../../support/fakes/function-scorer.js";
import { MemoryScoreCache } from "../../support/fakes/memory-score-cache.js";
import { firstId, pairOf } from "../../support/pairs.js";

const never = new AbortController().signal;

/** Pairs of 13 and above fail. */
function outcomeOf(pair: EncodedPair): PairOutcome {
  return firstId(pair) < 13
    ? { status: "scored", logit: firstId(pair) / 2 }
    : { status: "failed", code: "pair_killed_lane", message: "it did" };
}

function firsts({ pairs }: ScorerCall): number[] {
  return pairs.map(firstId);
}

interface Parts {
  readonly cache: MemoryScoreCache;
  readonly inner: FunctionScorer;
  readonly scorer: CachedScorer;
  readonly events: WorkEvent[];
}

function parts(): Parts {
  const cache = new MemoryScoreCache();
  const inner = new FunctionScorer(outcomeOf);
  const events: WorkEvent[] = [];
  const scorer = new CachedScorer(inner, cache, (event) => events.push(event));
  return { cache, inner, scorer, events };
}

async function ask(scorer: CachedScorer, ids: readonly number[]): Promise<(number | string)[]> {
  const pairs = ids.map((id) => pairOf(id));
  const outcomes = await scorer.score(pairs, "bulk", never);
  return outcomes.map((outcome) => (outcome.status === "scored" ? outcome.logit : outcome.code));
}

describe("a scorer with a cache", () => {
  it("has only those pairs scored that the cache does not know, and puts all in order", async () => {
    const { inner, scorer, events } = parts();
    expect(await ask(scorer, [2, 4])).toEqual([1, 2]);
    expect(await ask(scorer, [3, 2, 5, 4])).toEqual([1.5, 1, 2.5, 2]);
    expect(await ask(scorer, [5, 3])).toEqual([2.5, 1.5]);
    expect(inner.calls.map(firsts)).toEqual([
      [2, 4],
      [3, 5],
    ]);
    expect(events).toEqual([
      { type: "looked-up", in: "scores", hits: 0, misses: 2 },
      { type: "looked-up", in: "scores", hits: 2, misses: 2 },
      { type: "settled", outcome: "scored", pairs: 2 },
      { type: "looked-up", in: "scores", hits: 2, misses: 0 },
      { type: "settled", outcome: "scored", pairs: 2 },
    ]);
    expect(await ask(scorer, [])).toEqual([]);
  });

  it("hands the priority on", async () => {
    const { inner, scorer } = parts();
    await scorer.score([pairOf(1)], "interactive", never);
    expect(inner.calls[0]?.priority).toBe("interactive");
  });

  it("keeps no failure", async () => {
    const { cache, inner, scorer } = parts();
    expect(await ask(scorer, [14, 2])).toEqual(["pair_killed_lane", 1]);
    expect(await ask(scorer, [2, 14])).toEqual([1, "pair_killed_lane"]);
    expect(await cache.read([pairOf(2), pairOf(14)])).toEqual([1, undefined]);
    expect(inner.calls.slice(1).map(firsts)).toEqual([[14]]);
  });

  it("goes on without a cache that cannot be asked, and counts no lookup", async () => {
    const { cache, inner, scorer, events } = parts();
    cache.write([pairOf(2)], [99]);
    cache.usable = false;
    expect(await ask(scorer, [2, 4])).toEqual([1, 2]);
    expect(inner.calls).toHaveLength(1);
    expect(events).toEqual([]);
    cache.usable = true;
    expect(await ask(scorer, [2])).toEqual([99]);
  });

  it("gives a cancelled job nothing, and has nothing scored for it", async () => {
    const { cache, inner, scorer } = parts();
    cache.write([pairOf(1)], [1]);
    const cancelling = new AbortController();
    const scored = scorer.score([pairOf(1)], "bulk", cancelling.signal);
    cancelling.abort();
    await expect(scored).rejects.toMatchObject({ code: "cancelled" });
    expect(inner.calls).toEqual([]);
  });

  it("passes on what the scorer throws, and keeps nothing then", async () => {
    const { cache, inner, scorer } = parts();
    inner.before = () => {
      throw new RankmillError("lane_failed", "no lane can work");
    };
    await expect(ask(scorer, [1])).rejects.toMatchObject({ code: "lane_failed" });
    expect(cache.size).toBe(0);
  });
});
