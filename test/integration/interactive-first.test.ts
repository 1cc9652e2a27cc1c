/** Interactive pairs among the bulk pairs of a busy run, on a real lane. */
import { afterEach, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { HeldLane } from "../support/fakes/held-lane.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";
import { until } from "../support/until.js";

const BULK_JOBS = 8;
const PAIRS_PER_JOB = 50;
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

describe("a busy run", () => {
  it("puts an interactive job into the very next message that a lane takes, however much bulk work waits", async () => {
    const process = await LaneProcess.start(0, laneOptions("bert"));
    started.push(() => process.drain("the test is over"));
    const batcher = new Batcher(DEFAULT_BATCHER_OPTIONS);
    const lane = new HeldLane(process);
    const stop = new AbortController();
    const serving = batcher.serve(lane, stop.signal);
    const bulk = Array.from({ length: BULK_JOBS }, () =>
      batcher.score(pairs(PAIRS_PER_JOB), "bulk", never),
    );
    for (let ask = 0; ask < ASKS; ask += 1) {
      // It is asked while the lane is busy with a message, another one each time.
      await lane.untilBusy();
      const asked = pairs(2);
      const waiting = batcher.waitingPairs;
      // Without bulk work ahead of them their place would say nothing.
      expect(waiting).toBeGreaterThan(DEFAULT_BATCHER_OPTIONS.maxMessagePairs);
      const outcome = batcher.score(asked, "interactive", never);
      await until("the batcher has the pairs", () => batcher.waitingPairs === waiting + 2);
      const before = lane.messages.length;
      lane.runOne();
      await lane.untilBusy();
      expect(lane.messages[before]).toEqual(expect.arrayContaining(asked));
      lane.runOne();
      expect((await outcome).map(({ status }) => status)).toEqual(["scored", "scored"]);
    }
    lane.open();
    const outcomes = await Promise.all(bulk);
    expect(outcomes.flat().every(({ status }) => status === "scored")).toBe(true);
    stop.abort();
    await serving;
  });
});
