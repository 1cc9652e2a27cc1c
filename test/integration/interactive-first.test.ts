/** Interactive pairs among the bulk pairs of a busy run, on a real lane. */
import { afterEach, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import type { Lane } from "../../src/core/ports/lane.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";
import { until } from "../support/until.js";

const BULK_JOBS = 40;
const PAIRS_A_JOB = 50;
const ASKS = 12;
const never = new AbortController().signal;
const random = new SeededRandom(31);
const started: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of started.splice(0)) await end();
});

function pairs(count: number): EncodedPair[] {
  return Array.from({ length: count }, () => randomPair(random, random.between(8, 40)));
}

/** The lane as it is, noting the pairs of each message that starts. */
function noting(lane: LaneProcess, messages: EncodedPair[][]): Lane {
  return {
    id: lane.id,
    get alive() {
      return lane.alive;
    },
    score: async (runs) => {
      messages.push(runs.flat());
      return await lane.score(runs);
    },
  };
}

describe("an interactive job that meets a busy run", () => {
  it("is in the very next message that a lane takes, however much bulk work waits", async () => {
    const lane = await LaneProcess.start(0, laneOptions("bert"));
    started.push(() => lane.drain("the test is over"));
    const batcher = new Batcher(DEFAULT_BATCHER_OPTIONS);
    const messages: EncodedPair[][] = [];
    const stop = new AbortController();
    const serving = batcher.serve(noting(lane, messages), stop.signal);
    const bulk = Array.from({ length: BULK_JOBS }, () =>
      batcher.score(pairs(PAIRS_A_JOB), "bulk", never),
    );
    const between: number[] = [];
    let bulkAhead = Infinity;
    for (let ask = 0; ask < ASKS; ask += 1) {
      // At another message each time: in the middle of whatever the lane does.
      const before = messages.length;
      await until("another message is in the lane", () => messages.length > before);
      const asked = pairs(2);
      const entered = messages.length;
      bulkAhead = Math.min(bulkAhead, batcher.waitingPairs);
      await batcher.score(asked, "interactive", never);
      const first = messages.findIndex((message) => message.some((pair) => asked.includes(pair)));
      between.push(first - entered);
    }
    expect(between).toEqual(Array.from({ length: ASKS }, () => 0));
    // Without bulk work ahead of them the zeros would say nothing.
    expect(bulkAhead).toBeGreaterThan(DEFAULT_BATCHER_OPTIONS.maxMessagePairs);
    const outcomes = await Promise.all(bulk);
    expect(outcomes.flat().every(({ status }) => status === "scored")).toBe(true);
    stop.abort();
    await serving;
  });
});
