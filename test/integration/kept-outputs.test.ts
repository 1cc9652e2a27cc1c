/** Outputs that `run` of an earlier version left half done: this one finishes them, or refuses. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { rerank } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import {
  attemptsBegun,
  deadPid,
  expectRankings,
  expectRefusal,
  Kept,
  keptVersions,
  rankingsInRedis,
} from "../support/kept.js";
import { readLines, readManifest } from "../support/records.js";
import { given, longTests } from "../support/needs.js";

/** All records were ranked but the one that is none. */
const SOME_FAILED = 3;
const USAGE = 2;

const fleet = useFleet({ shared: "nothing" });

/** The failures in a file. Each version explains them in words of its own. */
function failuresIn(path: string): object[] {
  return readLines(path).map((line) => ({ ...(JSON.parse(line) as object), reason: undefined }));
}

describe.each(keptVersions)("outputs of version %s", (version) => {
  const kept = new Kept(version);

  beforeEach(() => {
    kept.place(fleet.bench, "in.jsonl");
  });

  function placeKilled(host?: string): void {
    kept.placeTexts(fleet.bench, "killed", host);
    const lock = fleet.bench.path("killed/out.jsonl.lock");
    const held = readFileSync(lock, "utf8");
    writeFileSync(lock, held.replace(/"pid":\d+/, `"pid":${deadPid()}`));
  }

  it("an output that Ctrl-C interrupted is finished", async () => {
    kept.placeTexts(fleet.bench, "interrupted");
    const before = readManifest(fleet.bench.path("interrupted/out.manifest.json"));
    const done = readLines(fleet.bench.path("interrupted/out.jsonl.partial"));
    const exit = await fleet.bench.run(rerank("in.jsonl", "interrupted/out.jsonl"));
    expect(exit.code, exit.stderr).toBe(SOME_FAILED);
    expect(exit.stderr).toContain(`${done.length} records are ranked already`);
    expect(exit.stderr).not.toContain("not what it was");
    const lines = readLines(fleet.bench.path("interrupted/out.jsonl"));
    expect(lines.slice(0, done.length)).toEqual(done);
    expectRankings(lines, kept.expected);
    expect(readManifest(fleet.bench.path("interrupted/out.manifest.json"))).toMatchObject({
      state: "complete",
      startedAt: before.startedAt,
      settings: before.settings,
      counts: { done: kept.expected.length, failed: 1 },
    });
    expect(failuresIn(fleet.bench.path("interrupted/out.failed.jsonl"))).toEqual(
      failuresIn(kept.path("expected.failed.jsonl")),
    );
    expect(await attemptsBegun(fleet.redis)).toBe(kept.expected.length - done.length);
  });

  it("an output of a killed command is finished: its lock is taken over, its rankings in Redis are used", async () => {
    placeKilled();
    const begun = await kept.load(fleet.redis, "killed", fleet.bench);
    const done = readLines(fleet.bench.path("killed/out.jsonl.partial"));
    const inRedis = await rankingsInRedis(fleet.redis);
    const exit = await fleet.bench.run(rerank("in.jsonl", "killed/out.jsonl"));
    expect(exit.code, exit.stderr).toBe(SOME_FAILED);
    const lines = readLines(fleet.bench.path("killed/out.jsonl"));
    expect(lines.slice(0, done.length)).toEqual(done);
    expect(lines).toEqual(expect.arrayContaining(inRedis));
    expectRankings(lines, kept.expected);
    // A ranking may be on disk and still in Redis.
    const ended = new Set([...done, ...inRedis]).size;
    expect(await attemptsBegun(fleet.redis)).toBe(begun + kept.expected.length - ended);
    // A job whose ranking had reached the disk may stay until its time to live is over.
    const twice = done.filter((line) => inRedis.includes(line));
    expect((await fleet.redis.keys("*:owners:*")).length).toBeLessThanOrEqual(twice.length);
    expect(existsSync(fleet.bench.path("killed/out.jsonl.lock"))).toBe(false);
  });

  it("an output is refused if another host holds its lock", given(longTests), async () => {
    placeKilled("another-host");
    const exit = await fleet.bench.run(rerank("in.jsonl", "killed/out.jsonl"));
    expectRefusal(exit, USAGE, /another-host\) is writing this output.*delete .*out\.jsonl\.lock/);
  });

  it("an output is refused if the settings differ", given(longTests), async () => {
    kept.placeTexts(fleet.bench, "interrupted");
    const exit = await fleet.bench.run(
      rerank("in.jsonl", "interrupted/out.jsonl", "--max-length 64"),
    );
    expectRefusal(exit, USAGE, /\(maxLength was 512, is 64\).*--force-new/);
    expect(existsSync(fleet.bench.path("interrupted/out.jsonl.partial"))).toBe(true);
  });
});
