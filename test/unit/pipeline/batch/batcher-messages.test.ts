import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../../../src/pipeline/batch/batcher.js";
import { HandLane } from "../../../support/fakes/hand-lane.js";
import { pairOf } from "../../../support/pairs.js";
import { turn } from "../../../support/turn.js";

const idle = new AbortController().signal;
// Every idle lane listens to it.
setMaxListeners(0, idle);

/** Pairs of each message that two lanes get for one job, in the order in which they get them. */
async function messagesOf(count: number, batchMs?: (rows: number, longest: number) => number) {
  const batcher = new Batcher({
    ...DEFAULT_BATCHER_OPTIONS,
    limits: { maxBatchTokens: 1, maxBatchSize: 1, maxPaddingTokens: 0 },
    batchMs,
  });
  const lanes = [new HandLane(0), new HandLane(1)];
  for (const lane of lanes) void batcher.serve(lane, idle).catch(() => undefined);
  await turn();
  const pairs = Array.from({ length: count }, (_, i) => pairOf(i, 100));
  const scored = batcher.score(pairs, "interactive", idle);
  await turn();
  while (lanes.some(({ busy }) => busy)) {
    for (const lane of lanes) await lane.answer();
  }
  expect(await scored).toHaveLength(count);
  return lanes.map(({ messages }) => messages.map((message) => message.flat().length));
}

describe("messages to lanes", () => {
  it("share a small job among the lanes, and end together", async () => {
    expect(await messagesOf(8)).toEqual([
      [2, 1, 1],
      [2, 1, 1],
    ]);
  });

  it("are as large as allowed while much work waits", async () => {
    const [first = []] = await messagesOf(200);
    expect(first.slice(0, 5)).toEqual([8, 8, 8, 8, 8]);
    expect(first.at(-1)).toBe(1);
  });

  it("take no longer than their time, but hold a pair however long it takes", async () => {
    const [first = []] = await messagesOf(100, (rows) => rows * 120);
    expect(first.slice(0, 3)).toEqual([2, 2, 2]);
    const [alone = []] = await messagesOf(20, () => 10_000);
    expect(alone[0]).toBe(1);
  });
});
