import { describe, expect, it } from "vitest";
import type { Lane } from "../../../src/core/ports/lane.js";
import type { WorkEvent } from "../../../src/core/work-events.js";
import { observeLanes } from "../../../src/telemetry/observe-lanes.js";
import { pairOf } from "../pipeline/parts.js";

describe("lanes that are observed", () => {
  it("count what they answered, not what they failed at, and stay what they are", async () => {
    let alive = true;
    let fails = false;
    const lane: Lane = {
      id: 7,
      get alive() {
        return alive;
      },
      died: Promise.resolve("never"),
      grownBytes: 42,
      score: () => (fails ? Promise.reject(new Error("it died")) : Promise.resolve([[1]])),
    };
    const events: WorkEvent[] = [];
    const served: Lane[] = [];
    const work = observeLanes(
      {
        serve: (one) => {
          served.push(one);
          return Promise.resolve(undefined);
        },
      },
      (event) => events.push(event),
    );
    await work.serve(lane, new AbortController().signal);
    const [observed] = served;
    expect(observed).toMatchObject({ id: 7, alive: true, grownBytes: 42, died: lane.died });
    expect(await observed?.score([[pairOf(1, 3), pairOf(2, 5)], [pairOf(3, 7)]])).toEqual([[1]]);
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
    fails = true;
    await expect(observed?.score([])).rejects.toThrow("it died");
    expect(events).toHaveLength(1);
    alive = false;
    expect(observed?.alive).toBe(false);
  });
});
