import { describe, expect, it } from "vitest";
import type { EncodedPair } from "../../../../src/core/pair.js";
import { ActivationBudget } from "../../../../src/core/cost/activation-budget.js";
import { BatchMemory } from "../../../../src/pipeline/batch/batch-memory.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../../../src/pipeline/batch/batcher.js";
import { HandLane } from "../../../support/fakes/hand-lane.js";
import { turn } from "../../../support/turn.js";

const never = new AbortController().signal;
const QUERY_TOKENS = 10;
const LIMITS = { maxBatchTokens: 40, maxBatchSize: 4, maxPaddingTokens: 0 };

/** A pair of one of the queries with a document of `tokens` tokens. */
function pair(query: number, tokens: number, document = 0): EncodedPair {
  const ids = new Int32Array(QUERY_TOKENS + tokens).fill(7);
  ids.fill(query, 0, QUERY_TOKENS);
  ids[ids.length - 1] = document;
  return { ids, secondStart: QUERY_TOKENS, truncated: false };
}

/** The queries of each batch of a message. */
function queriesOf(message: readonly (readonly EncodedPair[])[]): number[][] {
  return message.map((batch) => batch.map(({ ids }) => ids[0] ?? -1));
}

class WatchedLane extends HandLane {
  readonly sent: number[][][] = [];

  protected override run(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    this.sent.push(queriesOf(batches));
    return super.run(batches);
  }
}

function open(sharesPrefixes: boolean, maxMessagePairs = 4): Batcher {
  const options = { ...DEFAULT_BATCHER_OPTIONS, limits: LIMITS, maxMessagePairs, sharesPrefixes };
  return new Batcher(options);
}

describe("pairs of a model that shares prefixes", () => {
  it("make batches of one query, which count the tokens beside the prefix", async () => {
    const batcher = open(true);
    const lane = new WatchedLane();
    const pairs = [1, 2, 1, 2, 1, 2, 1].map((query, i) => pair(query, 10, i));
    const scored = batcher.score(pairs, "bulk", never);
    void batcher.serve(lane, never);
    await turn();
    await lane.answer();
    await lane.answer();
    expect(lane.sent).toEqual([[[1, 1, 1, 1]], [[2, 2, 2]]]);
    const logits = (await scored).map((one) => (one.status === "scored" ? one.logit : -1));
    expect(logits).toEqual([1, 2, 1, 2, 1, 2, 1]);
  });

  it("mix in the batches of a model that reads each pair whole", async () => {
    const batcher = open(false);
    const lane = new WatchedLane();
    void batcher.score([pair(1, 10), pair(2, 10)], "bulk", never);
    void batcher.serve(lane, never);
    await turn();
    expect(lane.sent).toEqual([[[1, 2]]]);
    await lane.answer();
  });

  it("go to the lane that has their query in hand, and a lane without one gets another query", async () => {
    const batcher = open(true, 1);
    const lanes = [new WatchedLane(), new WatchedLane()] as const;
    // Documents of several lengths: a batch each.
    const pairs = [1, 2].flatMap((query) => [10, 11, 12].map((tokens) => pair(query, tokens)));
    const scored = batcher.score(pairs, "bulk", never);
    for (const lane of lanes) void batcher.serve(lane, never);
    await turn();
    for (let round = 0; round < 3; round += 1) for (const lane of lanes) await lane.answer();
    await scored;
    expect(lanes.map(({ sent }) => sent.flat(2))).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });

  it("go to any lane that has nothing else to do", async () => {
    const batcher = open(true, 1);
    const lanes = [new WatchedLane(), new WatchedLane()] as const;
    const pairs = [10, 11, 12, 13].map((tokens) => pair(1, tokens));
    const scored = batcher.score(pairs, "bulk", never);
    for (const lane of lanes) void batcher.serve(lane, never);
    await turn();
    for (let round = 0; round < 2; round += 1) for (const lane of lanes) await lane.answer();
    await scored;
    expect(lanes.map(({ sent }) => sent.length)).toEqual([2, 2]);
  });
});

describe("the memory of a prefix", () => {
  const memory = new BatchMemory({
    budget: new ActivationBudget(10_000, 1),
    activation: { fixed: 0, perToken: 10, perSquare: 0 },
    prefixes: { bytesPerToken: 100, keptBytes: 5_000 },
    kind: "shared",
    ranOutOfMemory: () => Promise.resolve(false),
    onLowered: () => undefined,
  });

  it("counts beside a batch if it may be larger than what a lane keeps", () => {
    expect(memory.bytesOf([[50, 50]])).toBe(2 * 50 * 10);
    expect(memory.bytesOf([[60]])).toBe(60 * 10 + 60 * 100);
    expect(memory.fitsShare(1, 60)).toBe(true);
    expect(memory.fitsShare(1, 100)).toBe(false);
  });

  it("counts in the longest pair that a refusal names", () => {
    expect(memory.refusal(90)).toBeUndefined();
    expect(memory.refusal(200)).toMatchObject({
      code: "pair_too_large",
      message: expect.stringContaining("90 tokens fit") as string,
    });
  });
});
