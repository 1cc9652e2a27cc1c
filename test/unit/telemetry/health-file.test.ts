import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FitnessReport } from "../../../src/telemetry/fitness-watch.js";
import {
  describeHealth,
  MAX_AGE_MS,
  readHealth,
  removeHealth,
  writeHealth,
} from "../../../src/telemetry/health-file.js";

const AT = 1_700_000_000_000;
const REPORT: FitnessReport = {
  at: AT,
  lanes: 2,
  held: 3,
  waiting: 0,
  progressAt: AT,
  reason: null,
  degraded: null,
};

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-health-"));
  path = join(folder, "health.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const reasonAt = async (nowMs: number): Promise<string | undefined> => {
  const health = await readHealth(path, nowMs);
  return health.fit ? undefined : health.reason;
};

describe("a health file", () => {
  it("is whole at any time, and gone in the end", async () => {
    await writeHealth(path, REPORT);
    const health = await readHealth(path, AT);
    expect(health).toEqual({ fit: true, report: REPORT });
    expect(describeHealth(health, AT + 2_000)).toBe(
      "fit: 2 lanes, 3 jobs in hand, 0 waiting, last progress 2 s ago",
    );
    expect(readdirSync(folder)).toEqual(["health.json"]);
    await removeHealth(path);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("tells in few words how a process without lanes is", async () => {
    await writeHealth(path, { ...REPORT, lanes: null, held: 0 });
    expect(describeHealth(await readHealth(path, AT), AT)).toBe("fit: Redis answers");
  });

  it("passes the reason on", async () => {
    await writeHealth(path, { ...REPORT, degraded: "1 of 2 lanes die again and again: why" });
    expect(describeHealth(await readHealth(path, AT), AT)).toBe(
      "fit: 2 lanes, 3 jobs in hand, 0 waiting, last progress 0 s ago; degraded: 1 of 2 lanes die again and again: why",
    );
    await writeHealth(path, { ...REPORT, reason: "no lane is at work" });
    expect(describeHealth(await readHealth(path, AT), AT)).toBe("unfit: no lane is at work");
  });

  it("tells a worker that stands still by its age", async () => {
    await writeHealth(path, REPORT);
    expect(await reasonAt(AT + MAX_AGE_MS)).toBeUndefined();
    expect(await reasonAt(AT + MAX_AGE_MS + 1_000)).toBe(
      "the worker last gave a sign of life 17 s ago",
    );
  });

  it("means that no worker is ready if it was never written, or holds something else", async () => {
    expect(await reasonAt(AT)).toContain("no worker says that it is ready");
    for (const text of ["", "{", "null", "{}", '"well"']) {
      writeFileSync(path, text);
      expect(await reasonAt(AT)).toContain("no worker says that it is ready");
    }
  });
});
