import { beforeEach, describe, expect, it } from "vitest";
import type { Health } from "../../../src/core/lane-health.js";
import { REDIS_SILENT_MS, STUCK_MS } from "../../../src/telemetry/fitness.js";
import { FitnessWatch, type FitnessSources } from "../../../src/telemetry/fitness-watch.js";

let nowMs: number;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
});

function watchOf(sources: Partial<FitnessSources> = {}): FitnessWatch {
  return new FitnessWatch({
    lanes: () => 2,
    held: () => 0,
    countWaiting: () => Promise.resolve(0),
    now: () => nowMs,
    ...sources,
  });
}

const reasonOf = async (watch: FitnessWatch): Promise<string | null> =>
  (await watch.report()).reason;

describe("a watch over fitness", () => {
  it("reports what it found", async () => {
    expect(await watchOf({ held: () => 3 }).report()).toEqual({
      at: nowMs,
      lanes: 2,
      held: 3,
      waiting: 0,
      progressAt: nowMs,
      reason: null,
      degraded: null,
    });
  });

  it("gives a crash loop of all lanes as the reason, and forgives it", async () => {
    let partHealth: Health = { status: "failed", reason: "2 of 2 lanes die again and again: why" };
    const watch = watchOf({ partHealth: () => partHealth });
    expect(await watch.report()).toMatchObject({ reason: partHealth.reason, degraded: null });
    partHealth = { status: "degraded", reason: "1 of 2 lanes die again and again: why" };
    expect(await watch.report()).toMatchObject({ reason: null, degraded: partHealth.reason });
  });

  it("gives Redis's silence as the reason, whether it refuses or hangs, and forgives it", async () => {
    let redis: "answers" | "refuses" | "hangs" = "answers";
    const hanging: (() => void)[] = [];
    const watch = watchOf({
      countWaiting: () => {
        if (redis === "answers") return Promise.resolve(0);
        if (redis === "refuses") return Promise.reject(new Error("connection is closed"));
        return new Promise((resolve) => hanging.push(() => resolve(0)));
      },
    });
    await watch.report();
    for (const kind of ["refuses", "hangs"] as const) {
      redis = kind;
      nowMs += REDIS_SILENT_MS + 1_000;
      expect(await reasonOf(watch)).toBe("Redis has not answered for 11 s");
      redis = "answers";
      for (const answer of hanging.splice(0)) answer();
      expect(await reasonOf(watch)).toBeNull();
    }
  });

  it("asks Redis one question at a time, however long it is gone and whoever asks", async () => {
    let asked = 0;
    const watch = watchOf({
      countWaiting: () => {
        asked += 1;
        return new Promise(() => {});
      },
    });
    await Promise.all([watch.report(), watch.report()]);
    await watch.report();
    expect(asked).toBe(1);
  });

  it("counts as stuck only the time in which there was work and nothing came of it", async () => {
    let waiting = 0;
    const watch = watchOf({ countWaiting: () => Promise.resolve(waiting) });
    nowMs += 10 * STUCK_MS;
    await watch.report();
    waiting = 5;
    nowMs += STUCK_MS;
    expect(await reasonOf(watch)).toBeNull();
    nowMs += 1_000;
    expect(await reasonOf(watch)).toBe("no progress for 181 s, with 0 jobs in hand and 5 waiting");
    watch.progressed();
    expect(await reasonOf(watch)).toBeNull();
  });

  it("asks no lanes of a process that has none", async () => {
    expect(await reasonOf(watchOf({ lanes: () => 0 }))).toBe("no lane is at work");
    const { held, countWaiting } = { held: () => 0, countWaiting: () => Promise.resolve(0) };
    expect(await reasonOf(new FitnessWatch({ held, countWaiting }))).toBeNull();
  });
});
