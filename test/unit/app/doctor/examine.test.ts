import { describe, expect, it } from "vitest";
import type { Check } from "../../../../src/app/doctor/check.js";
import { examine } from "../../../../src/app/doctor/examine.js";
import {
  note,
  ok,
  problem,
  warning,
  worstOf,
  type Finding,
} from "../../../../src/app/doctor/finding.js";
import { CHECKS } from "../../../../src/app/doctor/registry.js";
import type { Subject } from "../../../../src/app/doctor/subject.js";
import { RankmillError } from "../../../../src/core/errors.js";

const NOTHING: Subject = {
  redis: { status: "unnamed", option: "redisUrl" },
  model: { status: "unusable", why: "no such model" },
  lanes: {},
  inFlight: { maxJobs: 1, maxBytes: 1 },
  maxDocumentChars: 4_194_304,
  maxJobBytes: 1,
  tokenizer: "auto",
  folders: { prepared: "/", calibration: "/", models: "/", index: "/", temporary: "/" },
  env: {},
};

async function findingsOf(...checks: Check[]): Promise<readonly Finding[]> {
  return await examine(NOTHING, () => undefined, checks);
}

describe("an examination", () => {
  it("says what was not named and what cannot be used, and makes the other checks", async () => {
    const made = await findingsOf(
      { name: "free", needs: "nothing", run: () => Promise.resolve([ok("fine")]) },
      { name: "of-redis", needs: "redis", run: () => Promise.reject(new Error("never made")) },
    );
    expect(made.map(({ check, level }) => [check, level])).toEqual([
      ["redis", "note"],
      ["model", "problem"],
      ["free", "ok"],
    ]);
    expect(String(made[0]?.remedy)).toBe("name it with redisUrl");
    expect(made[1]?.said).toBe("no such model");
  });

  it("takes a check that fails for a problem, and goes on", async () => {
    const made = await findingsOf(
      {
        name: "fails",
        needs: "nothing",
        run: () => Promise.reject(new RankmillError("lane_failed", "the lane died")),
      },
      { name: "next", needs: "nothing", run: () => Promise.resolve([ok("fine")]) },
    );
    expect(made.slice(2)).toMatchObject([
      { check: "fails", level: "problem", remedy: "see docs/errors.md for lane_failed" },
      { check: "next", level: "ok" },
    ]);
  });

  it("takes a check that never ends for a problem", async () => {
    const hangs: Check = {
      name: "hangs",
      timeoutMs: 5,
      needs: "nothing",
      run: () => new Promise(() => undefined),
    };
    expect((await findingsOf(hangs)).at(-1)).toMatchObject({
      check: "hangs",
      level: "problem",
      said: "no end after 0.005 s",
    });
  });

  it("tells each finding as it is made", async () => {
    const told: string[] = [];
    const check: Check = {
      name: "looks",
      needs: "nothing",
      run: () => Promise.resolve([ok(`after ${told.length}`)]),
    };
    const made = await examine(NOTHING, ({ check }) => told.push(check), [check]);
    expect(told).toEqual(["redis", "model", "looks"]);
    expect(made.at(-1)?.said).toBe("after 2");
  });
});

describe("the worst of some findings", () => {
  it("is the highest level, and ok if there is no finding", () => {
    expect(worstOf([])).toBe("ok");
    expect(worstOf([ok("a"), note("b", "c")])).toBe("note");
    expect(worstOf([problem("a", "b"), warning("c", "d")])).toBe("problem");
  });
});

describe("the checks", () => {
  it("have names that differ and fit their column", () => {
    const names = CHECKS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z-]{1,16}$/);
  });
});
