import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { RankmillError } from "../../../../src/core/errors.js";
import type { EncodedPair, PairOutcome } from "../../../../src/core/pair.js";
import type { Priority } from "../../../../src/core/priority.js";
import { ReuseCounter } from "../../../../src/telemetry/reuse-counts.js";
import {
  Batcher,
  DEFAULT_BATCHER_OPTIONS,
  type BatcherOptions,
} from "../../../../src/pipeline/batch/batcher.js";
import { SeededRandom } from "../../../support/random.js";
import { HandLane } from "../../../support/fakes/hand-lane.js";
import { QuickLane } from "../../../support/fakes/quick-lane.js";
import { firstId, pairOf } from "../../../support/pairs.js";
import { turn } from "../../../support/turn.js";

const idle = new AbortController().signal;
// Every idle lane listens to it.
setMaxListeners(0, idle);

/** One pair per message, so that each message tells which pair was scored. */
const SINGLE: Partial<BatcherOptions> = {
  limits: { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 },
  maxMessagePairs: 1,
};

function batcherOf(options: Partial<BatcherOptions> = SINGLE): Batcher {
  return new Batcher({ ...DEFAULT_BATCHER_OPTIONS, ...options });
}

interface Asked {
  readonly outcomes: Promise<(number | string)[]>;
  readonly cancel: () => void;
}

function ask(batcher: Batcher, firsts: readonly number[], priority: Priority = "bulk"): Asked {
  const controller = new AbortController();
  const pairs = firsts.map((first) => pairOf(first));
  const outcomes = batcher.score(pairs, priority, controller.signal).then(logits);
  // Its fate is looked at later.
  outcomes.catch(() => undefined);
  return { outcomes, cancel: () => controller.abort() };
}

function logits(outcomes: readonly PairOutcome[]): (number | string)[] {
  return outcomes.map((outcome) => (outcome.status === "scored" ? outcome.logit : outcome.code));
}

function serve(batcher: Batcher, lane: HandLane | QuickLane): void {
  batcher.serve(lane, idle).catch(() => undefined);
}

function scoredFirsts(lane: HandLane | QuickLane): number[] {
  return lane.messages.flat(2);
}

describe("equal pairs", () => {
  it("are scored once, be they of one job or of several, and each document gets its score", async () => {
    const reuse = new ReuseCounter();
    const batcher = batcherOf({ ...SINGLE, observe: (event) => reuse.count(event) });
    const asked = [ask(batcher, [1, 2, 1, 3]), ask(batcher, [3, 1, 4]), ask(batcher, [4])];
    await turn();
    expect(batcher.waitingPairs).toBe(4);
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await Promise.all(asked.map(({ outcomes }) => outcomes))).toEqual([
      [1, 2, 1, 3],
      [3, 1, 4],
      [4],
    ]);
    expect(scoredFirsts(lane)).toEqual([1, 2, 3, 4]);
    expect(reuse.counts.sharedPairs).toBe(4);
  });

  it("are shared with one that a lane has in hand", async () => {
    const batcher = batcherOf();
    const first = ask(batcher, [1]);
    const lane = new HandLane();
    serve(batcher, lane);
    await turn();
    const second = ask(batcher, [1, 2]);
    await turn();
    await lane.answer();
    expect(await first.outcomes).toEqual([1]);
    await lane.answer();
    expect(await second.outcomes).toEqual([1, 2]);
    expect(scoredFirsts(lane)).toEqual([1, 2]);
  });

  it("are scored again once they are settled: nothing is kept", async () => {
    const batcher = batcherOf();
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await ask(batcher, [1]).outcomes).toEqual([1]);
    expect(await ask(batcher, [1]).outcomes).toEqual([1]);
    expect(scoredFirsts(lane)).toEqual([1, 1]);
  });

  it("are those whose ids and whose document's start are equal", async () => {
    const batcher = batcherOf();
    const ids = [Int32Array.of(5, 1, 2), Int32Array.of(5, 2, 1), Int32Array.of(5, 1)];
    const pairs: EncodedPair[] = [
      { ids: Int32Array.of(5, 1, 2), secondStart: 1, truncated: false },
      ...ids.map((some) => ({ ids: some, secondStart: 2, truncated: false })),
      { ids: Int32Array.of(5, 1, 2), secondStart: 2, truncated: true },
    ];
    const scored = batcher.score(pairs, "bulk", idle);
    await turn();
    expect(batcher.waitingPairs).toBe(4);
    serve(batcher, new QuickLane());
    expect(logits(await scored)).toEqual([5, 5, 5, 5, 5]);
  });
});

describe("a cancelled job", () => {
  it("leaves its pairs to those that share them, and takes the others along", async () => {
    const batcher = batcherOf();
    const [first, second] = [ask(batcher, [1, 2]), ask(batcher, [2, 3])];
    await turn();
    first.cancel();
    await expect(first.outcomes).rejects.toMatchObject({ code: "cancelled" });
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await second.outcomes).toEqual([2, 3]);
    expect(scoredFirsts(lane)).toEqual([2, 3]);
  });

  it("leaves the score of a pair that is in a lane to a job that comes later", async () => {
    const batcher = batcherOf();
    const first = ask(batcher, [1]);
    const lane = new HandLane();
    serve(batcher, lane);
    await turn();
    first.cancel();
    const second = ask(batcher, [1]);
    await turn();
    await lane.answer();
    expect(await second.outcomes).toEqual([1]);
    expect(scoredFirsts(lane)).toEqual([1]);
  });

  it("takes nothing from a job that comes later if its pairs were dropped", async () => {
    const batcher = batcherOf();
    const [dropped, other] = [ask(batcher, [1]), ask(batcher, [2])];
    await turn();
    dropped.cancel();
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await other.outcomes).toEqual([2]);
    expect(await ask(batcher, [1]).outcomes).toEqual([1]);
    expect(scoredFirsts(lane)).toEqual([2, 1]);
  });
});

describe("an interactive pair that equals a waiting bulk pair", () => {
  it.each([
    ["before it is planned", 0],
    ["after it was planned", 1],
  ])("overtakes the other bulk pairs with it, %s", async (_when, served) => {
    const batcher = batcherOf();
    const bulk = ask(batcher, [1, 2, 3, 4, 5]);
    await turn();
    const lane = new HandLane();
    serve(batcher, lane);
    await turn();
    for (let i = 0; i < served; i += 1) await lane.answer();
    const urgent = ask(batcher, [4], "interactive");
    await turn();
    await lane.answer();
    expect(scoredFirsts(lane).at(-1)).toBe(4);
    await lane.answer();
    expect(await urgent.outcomes).toEqual([4]);
    for (let i = 0; i < 3; i += 1) await lane.answer();
    expect(await bulk.outcomes).toEqual([1, 2, 3, 4, 5]);
    expect(scoredFirsts(lane).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
  });

  it("is left to the bulk job if it is cancelled itself", async () => {
    const batcher = batcherOf();
    const bulk = ask(batcher, [1, 2]);
    const urgent = ask(batcher, [2], "interactive");
    await turn();
    urgent.cancel();
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await bulk.outcomes).toEqual([1, 2]);
    expect(scoredFirsts(lane)).toHaveLength(2);
  });

  it("is scored all the same if the bulk job is cancelled", async () => {
    const batcher = batcherOf();
    const bulk = ask(batcher, [1, 2]);
    const urgent = ask(batcher, [2], "interactive");
    await turn();
    bulk.cancel();
    const lane = new QuickLane();
    serve(batcher, lane);
    expect(await urgent.outcomes).toEqual([2]);
    expect(scoredFirsts(lane)).toEqual([2]);
  });
});

describe("a pair that fails", () => {
  it("fails for all that share it, after no more attempts than alone", async () => {
    const batcher = batcherOf();
    const asked = [ask(batcher, [1, 2]), ask(batcher, [2, 3]), ask(batcher, [2], "interactive")];
    await turn();
    const lane = new QuickLane((pair) => {
      if (firstId(pair) === 2) throw new RankmillError("lane_failed", "out of memory");
      return firstId(pair);
    });
    serve(batcher, lane);
    expect(await Promise.all(asked.map(({ outcomes }) => outcomes))).toEqual([
      [1, "pair_killed_lane"],
      ["pair_killed_lane", 3],
      ["pair_killed_lane"],
    ]);
    const times = scoredFirsts(lane).filter((first) => first === 2);
    expect(times).toHaveLength(DEFAULT_BATCHER_OPTIONS.maxPairAttempts);
  });

  it("is told to all that share it if the model gave no number", async () => {
    const batcher = batcherOf();
    const asked = [ask(batcher, [1]), ask(batcher, [1])];
    await turn();
    serve(batcher, new QuickLane(() => Number.NaN));
    expect(await Promise.all(asked.map(({ outcomes }) => outcomes))).toEqual([
      ["not_a_number"],
      ["not_a_number"],
    ]);
  });

  it("is joined while it is tried again", async () => {
    const batcher = batcherOf();
    const first = ask(batcher, [1]);
    const lane = new HandLane();
    serve(batcher, lane);
    await turn();
    await lane.fail();
    const second = ask(batcher, [1], "interactive");
    await turn();
    await lane.answer();
    expect(await Promise.all([first.outcomes, second.outcomes])).toEqual([[1], [1]]);
    expect(scoredFirsts(lane)).toEqual([1, 1]);
  });

  it("is rejected for all if no lane will ever work", async () => {
    const batcher = batcherOf();
    const asked = [ask(batcher, [1]), ask(batcher, [1], "interactive")];
    await turn();
    batcher.fail(new RankmillError("lane_failed", "no lane can work"));
    for (const { outcomes } of asked) {
      await expect(outcomes).rejects.toMatchObject({ code: "lane_failed" });
    }
  });
});

it("the batcher gives every document its own score under any mix of jobs, cancellations and deaths", async () => {
  const random = new SeededRandom(11);
  const batcher = batcherOf({ planAheadPairs: 16, maxMessagePairs: 4 });
  let deaths = 0;
  const work = async (id: number): Promise<void> => {
    for (;;) {
      const lane = new QuickLane((pair) => {
        if (random.between(0, 9) === 0) {
          lane.die();
          throw new RankmillError("lane_failed", "killed by SIGKILL");
        }
        return firstId(pair);
      }, id);
      await batcher.serve(lane, idle).catch(() => (deaths += 1));
    }
  };
  void work(1);
  void work(2);
  const asked = Array.from({ length: 300 }, () => {
    const firsts = Array.from({ length: random.between(1, 8) }, () => random.between(1, 25));
    const job = ask(batcher, firsts, random.between(0, 3) === 0 ? "interactive" : "bulk");
    return { firsts, job, cancelled: random.between(0, 5) === 0 };
  });
  await turn();
  for (const { job, cancelled } of asked) if (cancelled) job.cancel();
  let scored = 0;
  for (const { firsts, job } of asked) {
    const outcomes = await job.outcomes.catch((error: { code: string }) => error.code);
    if (outcomes === "cancelled") continue;
    scored += 1;
    // A pair may have been alone in three lanes that died.
    const expected = firsts.map((first, i) =>
      outcomes[i] === "pair_killed_lane" ? "pair_killed_lane" : first,
    );
    expect(outcomes).toEqual(expected);
  }
  expect(scored).toBeGreaterThan(150);
  expect(deaths).toBeGreaterThan(0);
  expect(batcher.waitingPairs).toBe(0);
});
