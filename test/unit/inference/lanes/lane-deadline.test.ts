import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LaneDeadline } from "../../../../src/inference/lanes/lane-deadline.js";

const LIMIT_MS = 30_000;
const SECOND_MS = 1_000;

/** Milliseconds that the clock shows beside those of the timers: this process was not run in them. */
let stoodStillMs: number;
/** Milliseconds that one of the lane's threads has waited for a processor. */
let starvedMs: number;
let passed: number;
let deadline: LaneDeadline;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setImmediate", "performance"] });
  stoodStillMs = 0;
  starvedMs = 5_000;
  passed = 0;
  deadline = new LaneDeadline({
    pid: 1,
    limitMs: LIMIT_MS,
    onPassed: () => (passed += 1),
    now: () => performance.now() + stoodStillMs,
    readStarved: () =>
      new Map([
        ["1", starvedMs],
        ["2", 0],
      ]),
  });
});

afterEach(() => {
  deadline.stop();
  vi.useRealTimers();
});

describe("the deadline of a lane's answer", () => {
  it("passes once, when the lane has had the time to work", () => {
    vi.advanceTimersByTime(LIMIT_MS - SECOND_MS);
    expect(passed).toBe(0);
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(passed).toBe(1);
  });

  it("never passes once it is stopped", () => {
    deadline.stop();
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(passed).toBe(0);
  });

  it("does not pass because the whole machine stood still for longer", () => {
    for (let times = 0; times < 5; times += 1) {
      stoodStillMs += 10 * LIMIT_MS;
      vi.advanceTimersByTime(2 * SECOND_MS);
    }
    expect(passed).toBe(0);
    vi.advanceTimersByTime(LIMIT_MS);
    expect(passed).toBe(1);
  });

  it("does not pass while the lane waits for a processor", () => {
    for (let second = 0; second < 100; second += 1) {
      starvedMs += 0.9 * SECOND_MS;
      vi.advanceTimersByTime(SECOND_MS);
    }
    expect(passed).toBe(0);
    vi.advanceTimersByTime(LIMIT_MS);
    expect(passed).toBe(1);
  });

  it("passes in the end even if the lane is starved for ever", () => {
    for (let second = 0; second < 21 * 30; second += 1) {
      starvedMs += SECOND_MS;
      vi.advanceTimersByTime(SECOND_MS);
    }
    expect(passed).toBe(1);
  });
});
