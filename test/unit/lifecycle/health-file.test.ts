import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REDIS_SILENT_MS, STUCK_MS } from "../../../src/lifecycle/fitness.js";
import type { Health } from "../../../src/core/health.js";
import {
  describeHealth,
  HealthFile,
  MAX_AGE_MS,
  readHealth,
  type HealthFileOptions,
} from "../../../src/lifecycle/health-file.js";

let folder: string;
let path: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-health-"));
  path = join(folder, "health.json");
  nowMs = 1_700_000_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function healthFile(options: Partial<HealthFileOptions> = {}): HealthFile {
  return new HealthFile({
    path,
    lanes: () => 2,
    laneHealth: () => ({ status: "ok" }),
    held: () => 0,
    countWaiting: () => Promise.resolve(0),
    onError: (error) => {
      throw error;
    },
    now: () => nowMs,
    ...options,
  });
}

const reasonNow = async (): Promise<string | undefined> => {
  const health = await readHealth(path, nowMs);
  return health.fit ? undefined : health.reason;
};

describe("a worker's health file", () => {
  it("is there from the start until the stop, whole at any time", async () => {
    const file = healthFile({ held: () => 3 });
    await file.start();
    const health = await readHealth(path, nowMs);
    expect(health).toMatchObject({ fit: true, report: { at: nowMs, lanes: 2, held: 3 } });
    expect(describeHealth(health, nowMs + 2_000)).toBe(
      "fit: 2 lanes, 3 jobs in hand, 0 waiting, last progress 2 s ago",
    );
    expect(readdirSync(folder)).toEqual(["health.json"]);
    await file.stop();
    expect(existsSync(path)).toBe(false);
  });

  it("tells a worker that stands still by its age", async () => {
    await healthFile().beat();
    nowMs += MAX_AGE_MS;
    expect(await reasonNow()).toBeUndefined();
    nowMs += 1_000;
    expect(await reasonNow()).toBe("the worker last gave a sign of life 17 s ago");
  });

  it("says so where nothing was ever written, or something else lies there", async () => {
    expect(await reasonNow()).toContain("no worker says that it is ready");
    for (const text of ["", "{", "null", "{}", '"well"']) {
      writeFileSync(path, text);
      expect(await reasonNow()).toContain("no worker says that it is ready");
    }
  });

  it("refuses a place where it cannot be written, at the start", async () => {
    path = join(folder, "nowhere", "health.json");
    await expect(healthFile().start()).rejects.toMatchObject({ code: "usage" });
  });

  it("gives Redis's silence as the reason, whether it refuses or hangs, and forgives it", async () => {
    let redis: "answers" | "refuses" | "hangs" = "answers";
    const hanging: (() => void)[] = [];
    const file = healthFile({
      countWaiting: () => {
        if (redis === "answers") return Promise.resolve(0);
        if (redis === "refuses") return Promise.reject(new Error("connection is closed"));
        return new Promise((resolve) => hanging.push(() => resolve(0)));
      },
    });
    await file.beat();
    for (const kind of ["refuses", "hangs"] as const) {
      redis = kind;
      nowMs += REDIS_SILENT_MS + 1_000;
      await file.beat();
      expect(await reasonNow()).toBe("Redis has not answered for 11 s");
      redis = "answers";
      for (const answer of hanging.splice(0)) answer();
      await file.beat();
      expect(await reasonNow()).toBeUndefined();
    }
  });

  it("gives a crash loop of all lanes as the reason, and forgives it", async () => {
    let laneHealth: Health = { status: "failed", reason: "2 of 2 lanes die again and again: why" };
    const file = healthFile({ laneHealth: () => laneHealth });
    await file.beat();
    expect(await reasonNow()).toBe("2 of 2 lanes die again and again: why");
    laneHealth = { status: "degraded", reason: "1 of 2 lanes die again and again: why" };
    await file.beat();
    expect(describeHealth(await readHealth(path, nowMs), nowMs)).toBe(
      "fit: 2 lanes, 0 jobs in hand, 0 waiting, last progress 0 s ago; degraded: 1 of 2 lanes die again and again: why",
    );
  });

  it("asks Redis one question at a time, however long it is gone", async () => {
    let asked = 0;
    const file = healthFile({
      countWaiting: () => {
        asked += 1;
        return new Promise(() => {});
      },
    });
    await file.beat();
    await file.beat();
    expect(asked).toBe(1);
  });

  it("counts as stuck only the time in which there was work and nothing came of it", async () => {
    let waiting = 0;
    const file = healthFile({ countWaiting: () => Promise.resolve(waiting) });
    nowMs += 10 * STUCK_MS;
    await file.beat();
    waiting = 5;
    nowMs += STUCK_MS;
    await file.beat();
    expect(await reasonNow()).toBeUndefined();
    nowMs += 1_000;
    await file.beat();
    expect(await reasonNow()).toBe("no progress for 181 s, with 0 jobs in hand and 5 waiting");
    file.progressed();
    await file.beat();
    expect(await reasonNow()).toBeUndefined();
  });
});
