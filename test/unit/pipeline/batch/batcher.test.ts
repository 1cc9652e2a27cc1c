import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { RankmillError } from "../../../../src/core/errors.js";
import type { EncodedPair, PairOutcome } from "../../../../src/core/pair.js";
import type { Lane } from "../../../../src/core/ports/lane.js";
import type { Priority } from "../../../../src/core/priority.js";
import {
  Batcher,
  type BatcherOptions,
  DEFAULT_BATCHER_OPTIONS,
} from "../../../../src/pipeline/batch/batcher.js";
import { HandLane } from "../../../support/fakes/hand-lane.js";
import { QuickLane } from "../../../support/fakes/quick-lane.js";
import { firstId, pairOf } from "../../../support/pairs.js";
import { turn } from "../../../support/turn.js";

const idle = new AbortController().signal;
// Every idle lane listens to it.
setMaxListeners(0, idle);

function batcherOf(options: Partial<BatcherOptions> = {}): Batcher {
  return new Batcher({ ...DEFAULT_BATCHER_OPTIONS, ...options });
}

function pairs(firsts: readonly number[], tokens = 1): EncodedPair[] {
  return firsts.map((first) => pairOf(first, tokens));
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

function logits(outcomes: readonly PairOutcome[]): (number | string)[] {
  return outcomes.map((outcome) => (outcome.status === "scored" ? outcome.logit : outcome.code));
}

interface Asked {
  readonly outcomes: Promise<(number | string)[]>;
  readonly cancel: () => void;
}

function ask(batcher: Batcher, some: EncodedPair[], priority: Priority = "bulk"): Asked {
  const controller = new AbortController();
  const outcomes = batcher.score(some, priority, controller.signal).then(logits);
  // Its fate is looked at later.
  outcomes.catch(() => undefined);
  return { outcomes, cancel: () => controller.abort() };
}

/** Serves `lane` for the rest of the test. */
function serve(batcher: Batcher, lane: Lane): Promise<unknown> {
  const served = batcher.serve(lane, idle);
  served.catch(() => undefined);
  return served;
}

describe("batches across jobs", () => {
  it("hold pairs of two jobs together, and the pairs of one job are in several", async () => {
    const batcher = batcherOf();
    const [first, second] = [ask(batcher, pairs(range(0, 3))), ask(batcher, pairs(range(10, 10)))];
    await turn();
    const lane = new QuickLane();
    void serve(batcher, lane);
    expect(await first.outcomes).toEqual(range(0, 3));
    expect(await second.outcomes).toEqual(range(10, 10));
    const runs = lane.messages.flat();
    expect(runs[0]).toEqual([0, 1, 2, 10, 11, 12, 13, 14]);
    expect(runs[1]).toEqual([15, 16, 17, 18, 19]);
  });

  it("are of near-equal length, within the limits, and answers go to their own documents", async () => {
    const limits = { maxBatchTokens: 60, maxBatchSize: 4, maxPaddingTokens: 2 };
    const batcher = batcherOf({ limits, maxMessagePairs: 4 });
    const lengths = [20, 5, 19, 6, 100, 5];
    const asked = ask(
      batcher,
      lengths.map((tokens, i) => pairOf(i, tokens)),
    );
    await turn();
    const lane = new QuickLane();
    void serve(batcher, lane);
    expect(await asked.outcomes).toEqual(range(0, 6));
    expect(lane.messages).toEqual([[[4], [0, 2]], [[3, 1, 5]]]);
  });

  it("travel to a lane a few at a time, bounded in pairs and tokens", async () => {
    const limits = { maxBatchTokens: 100, maxBatchSize: 1, maxPaddingTokens: 0 };
    const batcher = batcherOf({ limits, maxMessagePairs: 3, maxMessageTokens: 50 });
    const asked = ask(batcher, [...pairs([1, 2, 3, 4], 10), ...pairs([5, 6], 40)]);
    await turn();
    const lane = new QuickLane();
    void serve(batcher, lane);
    await asked.outcomes;
    expect(lane.messages).toEqual([[[5]], [[6], [1]], [[2], [3], [4]]]);
  });

  it("are planned from a bounded number of pairs at a time, oldest jobs first", async () => {
    const batcher = batcherOf({ planAheadPairs: 4 });
    const old = ask(batcher, pairs(range(0, 4), 3));
    const young = ask(batcher, pairs(range(10, 4), 30));
    await turn();
    const lane = new HandLane();
    void serve(batcher, lane);
    await turn();
    // The longer pairs would go first, if they were planned together.
    expect(lane.messages).toEqual([[range(0, 4)]]);
    await lane.answer();
    expect(await old.outcomes).toEqual(range(0, 4));
    await lane.answer();
    expect(await young.outcomes).toEqual(range(10, 4));
  });

  it("are shared by all lanes", async () => {
    const batcher = batcherOf();
    const asked = ask(batcher, pairs(range(0, 24)));
    await turn();
    const lanes = [new HandLane(0), new HandLane(1), new HandLane(2)];
    for (const lane of lanes) void serve(batcher, lane);
    await turn();
    expect(lanes.map(({ messages }) => messages)).toEqual([
      [[range(0, 8)]],
      [[range(8, 8)]],
      [[range(16, 8)]],
    ]);
    for (const lane of lanes.toReversed()) await lane.answer();
    expect(await asked.outcomes).toEqual(range(0, 24));
  });

  it("start at once if a lane waits for work", async () => {
    const batcher = batcherOf();
    const lane = new QuickLane();
    void serve(batcher, lane);
    await turn();
    expect(await ask(batcher, pairs([7])).outcomes).toEqual([7]);
    expect(await ask(batcher, []).outcomes).toEqual([]);
    expect(lane.messages).toEqual([[[7]]]);
  });
});

describe("interactive pairs", () => {
  it("overtake bulk pairs, planned ones too", async () => {
    const batcher = batcherOf();
    const bulk = ask(batcher, pairs(range(0, 24)));
    const lane = new HandLane();
    await turn();
    void serve(batcher, lane);
    await turn();
    const urgent = ask(batcher, pairs([100, 101]), "interactive");
    await turn();
    expect(batcher.waitingPairs).toBe(18);
    await lane.answer();
    expect(lane.messages.at(-1)).toEqual([[100, 101]]);
    await lane.answer();
    expect(await urgent.outcomes).toEqual([100, 101]);
    await lane.answer();
    await lane.answer();
    expect(await bulk.outcomes).toEqual(range(0, 24));
  });

  it("keep their order over several messages", async () => {
    const batcher = batcherOf();
    const urgent = ask(batcher, pairs(range(0, 20)), "interactive");
    await turn();
    const lane = new QuickLane();
    void serve(batcher, lane);
    expect(await urgent.outcomes).toEqual(range(0, 20));
    expect(lane.messages).toEqual([[range(0, 8)], [range(8, 8)], [range(16, 4)]]);
  });

  it("have permits of their own, which bulk pairs can never fill", async () => {
    const batcher = batcherOf({ maxBulkTokens: 10, maxInteractiveTokens: 10 });
    const [held, outside] = [ask(batcher, pairs([1], 8)), ask(batcher, pairs([2], 8))];
    const urgent = ask(batcher, pairs([3], 8), "interactive");
    await turn();
    // The second bulk job waits outside until the first is done.
    expect(batcher.waitingPairs).toBe(2);
    const lane = new HandLane();
    void serve(batcher, lane);
    await turn();
    expect(lane.messages).toEqual([[[3]]]);
    await lane.answer();
    await lane.answer();
    await lane.answer();
    expect(lane.messages).toEqual([[[3]], [[1]], [[2]]]);
    expect(await Promise.all([held.outcomes, outside.outcomes, urgent.outcomes])).toEqual([
      [1],
      [2],
      [3],
    ]);
  });

  it("get in alone if their job is larger than all permits", async () => {
    const batcher = batcherOf({ maxBulkTokens: 10 });
    const giant = ask(batcher, pairs(range(0, 5), 10));
    const lane = new QuickLane();
    void serve(batcher, lane);
    expect(await giant.outcomes).toEqual(range(0, 5));
  });
});

describe("a lane that fails", () => {
  it("gives its pairs back, halved, to others that go on", async () => {
    const batcher = batcherOf();
    const asked = ask(batcher, pairs(range(0, 8)));
    await turn();
    const dying = new HandLane(0);
    const served = serve(batcher, dying);
    await turn();
    await dying.fail({ dies: true });
    await expect(served).rejects.toMatchObject({ code: "lane_failed" });
    const lane = new QuickLane(firstId, 1);
    void serve(batcher, lane);
    expect(await asked.outcomes).toEqual(range(0, 8));
    expect(lane.messages).toEqual([[range(0, 4)], [range(4, 4)]]);
  });

  it("costs one document only if one pair kills it alone", async () => {
    const batcher = batcherOf();
    const fatal = 5;
    const kills: number[][] = [];
    const [mine, others] = [ask(batcher, pairs(range(0, 7))), ask(batcher, pairs(range(50, 6)))];
    await turn();
    const work = async (): Promise<void> => {
      // The pool does the same: a dead lane's place is taken by another, until nothing is left.
      for (;;) {
        const lane = new QuickLane((pair) => {
          if (firstId(pair) === fatal) {
            lane.die();
            throw new RankmillError("lane_failed", "killed by SIGSEGV");
          }
          return firstId(pair);
        });
        await batcher.serve(lane, idle).catch(() => kills.push(lane.messages.at(-1)?.flat() ?? []));
      }
    };
    void work();
    const outcomes = await mine.outcomes;
    expect(outcomes).toEqual([0, 1, 2, 3, 4, "pair_killed_lane", 6]);
    expect(await others.outcomes).toEqual(range(50, 6));
    // 8, 4, 2 together and then three times alone.
    expect(kills.map(({ length }) => length)).toEqual([8, 4, 2, 1, 1, 1]);
    expect(kills.slice(-3)).toEqual([[fatal], [fatal], [fatal]]);
  });

  it("is asked again if it lives, and names the reason if it never works", async () => {
    const batcher = batcherOf({ maxPairAttempts: 2 });
    const scored = batcher.score(pairs([1, 2], 3), "bulk", idle);
    const lane = new QuickLane((pair) => {
      if (firstId(pair) === 2) throw new RankmillError("lane_failed", "out of memory");
      return 0.5;
    });
    void serve(batcher, lane);
    const outcomes = await scored;
    expect(logits(outcomes)).toEqual([0.5, "pair_killed_lane"]);
    expect(outcomes[1]).toMatchObject({
      message: "the pair of 3 tokens failed alone 2 times: out of memory",
    });
    expect(lane.alive).toBe(true);
  });

  it("never gets suspects again whose job has ended", async () => {
    const batcher = batcherOf();
    const doomed = ask(batcher, pairs(range(0, 4)));
    await turn();
    const lane = new HandLane();
    void serve(batcher, lane);
    await turn();
    await lane.fail();
    expect(lane.messages.at(-1)).toEqual([[0, 1]]);
    doomed.cancel();
    await lane.answer();
    expect(lane.messages).toHaveLength(2);
    await expect(doomed.outcomes).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("the answer of the model for a pair", () => {
  it.each([Number.NaN, Infinity, -Infinity])("is no score if it is %d", async (logit) => {
    const batcher = batcherOf();
    const scored = batcher.score(pairs([1, 2, 3]), "bulk", idle);
    void serve(batcher, new QuickLane((pair) => (firstId(pair) === 2 ? logit : 1)));
    const outcomes = await scored;
    expect(logits(outcomes)).toEqual([1, "not_a_number", 1]);
    expect(outcomes[1]).toMatchObject({ message: expect.stringContaining(String(logit)) });
  });

  it("is no score if it is missing", async () => {
    const batcher = batcherOf();
    const scored = batcher.score(pairs([1, 2]), "bulk", idle);
    const lane = new QuickLane();
    lane.score = async () => await Promise.resolve([[1]]);
    void serve(batcher, lane);
    expect(logits(await scored)).toEqual([1, "not_a_number"]);
  });
});

describe("a cancelled job", () => {
  it("ends at once, and its pairs reach no lane", async () => {
    const batcher = batcherOf();
    const [kept, dropped] = [ask(batcher, pairs([1, 2])), ask(batcher, pairs([11, 12]))];
    await turn();
    dropped.cancel();
    await expect(dropped.outcomes).rejects.toMatchObject({ code: "cancelled" });
    const lane = new QuickLane();
    void serve(batcher, lane);
    expect(await kept.outcomes).toEqual([1, 2]);
    expect(lane.messages).toEqual([[[1, 2]]]);
  });

  it("drops what was planned already, and gives its permits back", async () => {
    const batcher = batcherOf({ maxBulkTokens: 20 });
    const dropped = ask(batcher, pairs(range(0, 20)));
    const next = ask(batcher, pairs(range(50, 3)));
    await turn();
    const lane = new HandLane();
    void serve(batcher, lane);
    await turn();
    dropped.cancel();
    await turn();
    await lane.answer();
    expect(lane.messages).toEqual([[range(0, 8)], [range(50, 3)]]);
    await lane.answer();
    expect(await next.outcomes).toEqual(range(50, 3));
    await expect(dropped.outcomes).rejects.toMatchObject({ code: "cancelled" });
  });

  it("is not even begun if it was cancelled before", async () => {
    const batcher = batcherOf();
    const cause = new Error("gone");
    const scored = batcher.score(pairs([1]), "bulk", AbortSignal.abort(cause));
    await expect(scored).rejects.toMatchObject({ code: "cancelled", cause });
    expect(batcher.waitingPairs).toBe(0);
  });
});

describe("a batcher whose lanes will never work again", () => {
  it("everything that waits fails, and everything to come", async () => {
    const batcher = batcherOf();
    const waiting = [
      ask(batcher, pairs([1])),
      ask(batcher, pairs([2]), "interactive"),
      ask(batcher, pairs(range(3, 20))),
    ];
    await turn();
    batcher.fail(new RankmillError("lane_failed", "the pool gave up"));
    for (const { outcomes } of waiting) await expect(outcomes).rejects.toThrow("the pool gave up");
    await expect(ask(batcher, pairs([9])).outcomes).rejects.toThrow("the pool gave up");
    expect(batcher.waitingPairs).toBe(0);
  });

  it("a lane without work stops when it is told to", async () => {
    const batcher = batcherOf();
    const controller = new AbortController();
    const served = batcher.serve(new QuickLane(), controller.signal);
    await turn();
    controller.abort();
    expect(await served.then(() => "ended")).toBe("ended");
  });
});
