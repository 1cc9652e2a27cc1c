import { describe, expect, it } from "vitest";
import { Window } from "../../../src/runs/window.js";

describe("a window", () => {
  it("is full by jobs or by bytes, and takes anything while it is empty", () => {
    const window = new Window({ maxJobs: 2, maxBytes: 100 });
    expect(window.fits(1_000)).toBe(true);
    window.enter(60);
    expect([window.fits(40), window.fits(41)]).toEqual([true, false]);
    window.enter(40);
    expect(window.fits(0)).toBe(false);
    window.leave(60);
    expect([window.jobs, window.fits(60), window.fits(61)]).toEqual([1, true, false]);
  });

  it("wakes who waits when a job leaves, or when told to stop", async () => {
    const window = new Window({ maxJobs: 1, maxBytes: 100 });
    window.enter(1);
    const controller = new AbortController();
    const left = window.untilLeft(controller.signal);
    window.leave(1);
    await left;
    const stopped = window.untilLeft(controller.signal);
    controller.abort();
    await stopped;
    expect(await window.untilLeft(controller.signal).then(() => "at once")).toBe("at once");
  });
});
