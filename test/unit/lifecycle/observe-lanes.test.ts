import { describe, expect, it } from "vitest";
import type { Lane } from "../../../src/core/ports.js";
import { observeLanes } from "../../../src/lifecycle/observe-lanes.js";

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
      run: () => (fails ? Promise.reject(new Error("it died")) : Promise.resolve([[1]])),
    };
    let batches = 0;
    const served: Lane[] = [];
    const work = observeLanes(
      {
        serve: (one) => {
          served.push(one);
          return Promise.resolve(undefined);
        },
      },
      () => (batches += 1),
    );
    await work.serve(lane, new AbortController().signal);
    const [observed] = served;
    expect(observed).toMatchObject({ id: 7, alive: true, grownBytes: 42, died: lane.died });
    expect(await observed?.run([])).toEqual([[1]]);
    expect(batches).toBe(1);
    fails = true;
    await expect(observed?.run([])).rejects.toThrow("it died");
    expect(batches).toBe(1);
    alive = false;
    expect(observed?.alive).toBe(false);
  });
});
