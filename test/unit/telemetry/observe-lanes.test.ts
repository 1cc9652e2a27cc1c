import { describe, expect, it } from "vitest";
import type { WorkEvent } from "../../../src/core/work-events.js";
import { Batcher } from "../../../src/pipeline/batch/batcher.js";
import { observeLane, observeLanes } from "../../../src/telemetry/observe-lanes.js";
import { HandLane } from "../../support/fakes/hand-lane.js";
import { pairOf } from "../../support/pairs.js";
import { turn } from "../../support/turn.js";

const never = new AbortController().signal;

describe("lanes that are observed", () => {
  it("count what they answered, and not what they failed at", async () => {
    const events: WorkEvent[] = [];
    const lane = new HandLane(7);
    const observed = observeLane(lane, (event) => events.push(event));
    const answered = observed.score([[pairOf(1, 3), pairOf(2, 5)], [pairOf(3, 7)]]);
    await lane.answer();
    expect(await answered).toEqual([[1, 2], [3]]);
    expect(events).toEqual([
      {
        type: "inferred",
        batches: [
          { tokens: 8, paddedTokens: 10 },
          { tokens: 7, paddedTokens: 7 },
        ],
        tookMs: expect.any(Number),
      },
    ]);
    const failed = observed.score([[pairOf(1)]]);
    failed.catch(() => undefined);
    await lane.fail();
    await expect(failed).rejects.toMatchObject({ code: "lane_failed" });
    expect(events).toHaveLength(1);
  });

  it("stay what they are, as their memory and their number show", () => {
    const lane = new HandLane(7);
    lane.grownBytes = 42;
    const observed = observeLane(lane, () => {});
    expect(observed).toMatchObject({ id: 7, alive: true, grownBytes: 42, died: lane.died });
  });

  it("are all those that a source of work serves", async () => {
    const events: WorkEvent[] = [];
    const batcher = new Batcher();
    const lane = new HandLane();
    void observeLanes(batcher, (event) => events.push(event)).serve(lane, never);
    const scored = batcher.score([pairOf(1)], "bulk", never);
    await turn();
    await lane.answer();
    expect(await scored).toEqual([{ status: "scored", logit: 1 }]);
    expect(events.map(({ type }) => type)).toEqual(["inferred"]);
  });
});
