import { describe, expect, it } from "vitest";
import { InFlightLimit, type WorkerLoad } from "../../../src/runs/in-flight-limit.js";

const UNBOUNDED = { maxJobs: 1_000_000, maxBytes: 1e12 };
const JOB_BYTES = 1_000;
const ALONE = { otherRuns: 0, otherBytesPerSecond: 0 };
const LOOK_MS = 500;

/** Workers that finish `jobsPerSecond` of what waits, `hands` at a time, and a feeder that refills. */
class Workers {
  readonly window: InFlightLimit;
  atMs = 0;
  /** Jobs in the queue and in workers' hands. */
  #inFlight = 0;
  #owed = 0;

  constructor(window: InFlightLimit) {
    this.window = window;
  }

  get waiting(): number {
    return this.window.jobs - this.held;
  }

  held = 0;

  /** @param input jobs that the input still has */
  run(
    ms: number,
    jobsPerSecond: number,
    hands: number,
    others: Partial<WorkerLoad> = {},
    input = Infinity,
  ): number {
    const endMs = this.atMs + ms;
    let ended = 0;
    let left = input;
    for (; this.atMs < endMs; this.atMs += 50) {
      this.#owed += (jobsPerSecond * 50) / 1000;
      const ends = Math.min(Math.floor(this.#owed), this.#inFlight);
      this.#owed -= Math.floor(this.#owed);
      for (let i = 0; i < ends; i += 1) this.window.leave(JOB_BYTES);
      this.#inFlight -= ends;
      ended += ends;
      while (left > 0 && this.window.fits(JOB_BYTES)) {
        this.window.enter(JOB_BYTES);
        this.#inFlight += 1;
        left -= 1;
      }
      this.held = Math.min(hands, this.#inFlight);
      if (this.atMs % LOOK_MS > 0) continue;
      const active = { activeJobs: this.held, activeBytes: this.held * JOB_BYTES };
      this.window.adapt({ atMs: this.atMs, ...active, ...ALONE, ...others });
    }
    return ended;
  }
}

describe("the bounds of a run's jobs in flight", () => {
  it("hold by jobs and by bytes, and let anything in while nothing is in flight", () => {
    const window = new InFlightLimit({ maxJobs: 2, maxBytes: 100 });
    expect(window.fits(1_000)).toBe(true);
    window.enter(60);
    expect([window.fits(40), window.fits(41)]).toEqual([true, false]);
    window.enter(40);
    expect(window.fits(0)).toBe(false);
    window.leave(60);
    expect([window.jobs, window.fits(60), window.fits(61)]).toEqual([1, true, false]);
  });

  it("hold however fast the workers are", () => {
    const workers = new Workers(new InFlightLimit({ maxJobs: 300, maxBytes: 1e12 }));
    workers.run(20_000, 5_000, 64);
    expect(workers.window.jobs).toBe(300);
    const byBytes = new Workers(new InFlightLimit({ maxJobs: 1e6, maxBytes: 100 * JOB_BYTES }));
    byBytes.run(20_000, 5_000, 64);
    expect(byBytes.window.jobs).toBe(100);
  });

  it("wake whoever waits when a job leaves, at every measurement, or when told to stop", async () => {
    const window = new InFlightLimit({ maxJobs: 1, maxBytes: 100 });
    window.enter(1);
    const controller = new AbortController();
    const left = window.untilChanged(controller.signal);
    window.leave(1);
    await left;
    const seen = window.untilChanged(controller.signal);
    window.adapt({ atMs: 0, activeJobs: 0, activeBytes: 0, ...ALONE });
    await seen;
    const stopped = window.untilChanged(controller.signal);
    controller.abort();
    await stopped;
    expect(await window.untilChanged(controller.signal).then(() => "at once")).toBe("at once");
  });
});

describe("a limit that adapts", () => {
  it("never lets fast workers wait once it knows them, and keeps seconds of their work", () => {
    const workers = new Workers(new InFlightLimit(UNBOUNDED));
    workers.run(10_000, 2_000, 64);
    expect(workers.run(10_000, 2_000, 64)).toBe(20_000);
    expect(workers.waiting).toBeGreaterThan(2 * 2_000);
    expect(workers.waiting).toBeLessThan(5 * 2_000);
  });

  it("keeps a handful waiting for slow workers", () => {
    const workers = new Workers(new InFlightLimit(UNBOUNDED));
    workers.run(120_000, 0.5, 64);
    expect(workers.waiting).toBeGreaterThanOrEqual(1);
    expect(workers.waiting).toBeLessThan(10);
    expect(workers.held).toBe(64);
  });

  it("shrinks if workers slow down, and grows if others join them", () => {
    const workers = new Workers(new InFlightLimit(UNBOUNDED));
    workers.run(20_000, 1_000, 64);
    const before = workers.waiting;
    // Jobs that wait already must be worked off first: nothing is taken back.
    workers.run(30_000, 200, 64);
    expect(workers.waiting).toBeLessThan(before / 4);
    workers.run(20_000, 2_000, 2_000);
    expect(workers.held).toBe(2_000);
    expect(workers.run(5_000, 2_000, 2_000)).toBe(10_000);
  });

  it("grows if its own workers lack jobs, and not while the input is slow", () => {
    const workers = new Workers(new InFlightLimit(UNBOUNDED));
    for (let second = 0; second < 60; second += 1) workers.run(1_000, 1_000, 64, ALONE, 5);
    workers.run(1_000, 0, 0, ALONE);
    // Nothing is drained any more, and what may wait is what could at the start.
    expect(workers.window.jobs).toBeLessThan(100);
  });

  it("leaves other runs their share of what waits", () => {
    const alone = new Workers(new InFlightLimit(UNBOUNDED));
    alone.run(20_000, 1_000, 64);
    const shared = new Workers(new InFlightLimit(UNBOUNDED));
    const others = { otherRuns: 3, otherBytesPerSecond: 750 * JOB_BYTES };
    shared.run(20_000, 250, 16, others);
    const quarter = alone.waiting / 4;
    expect(shared.waiting).toBeGreaterThan(quarter * 0.8);
    expect(shared.waiting).toBeLessThan(quarter * 1.2);
  });

  it("gives a second run half of the queue within seconds, whatever it drained before", () => {
    const others = { otherRuns: 1, otherBytesPerSecond: 1_000 * JOB_BYTES };
    const late = new Workers(new InFlightLimit(UNBOUNDED));
    // Nothing of it has been done yet: what the first run drains says how fast the workers are.
    late.run(1_000, 0, 0, others);
    expect(late.waiting).toBeGreaterThan(1_500);
    expect(late.waiting).toBeLessThan(2_500);
  });
});
