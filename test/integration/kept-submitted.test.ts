/** Submitted runs that an earlier version left half done in Redis: this one finishes them. */
import type { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Bench, BUILTIN } from "../support/cli.js";
import {
  attemptsBegun,
  expectRankings,
  Kept,
  keptVersions,
  rankingsInRedis,
} from "../support/kept.js";
import { firstUnlessLong } from "../support/needs.js";
import { readLines } from "../support/records.js";
import { redisKinds, TestRedis, type RedisKind } from "../support/redis-server.js";

const WORKER = ["--model", BUILTIN, "--lanes", "1"];
/** All records were ranked but the one that is none. */
const SOME_FAILED = 3;
const named = z.object({ run: z.string() });

let server: TestRedis;
let redis: Redis;
let bench: Bench;

async function open(kind?: RedisKind): Promise<void> {
  server = await TestRedis.start(kind === undefined ? {} : { kind });
  redis = server.client();
  bench = await Bench.open({ REDIS_URL: server.url });
}

afterEach(async () => {
  await bench.close();
  await server.close();
});

describe.each(keptVersions)("submitted runs of version %s", (version) => {
  const kept = new Kept(version);
  const { run } = kept.read("submitted.json", named);

  it.each(firstUnlessLong(redisKinds))(
    "a submitted run is finished on %s, and its rankings stay as they were",
    async (kind) => {
      await open(kind);
      kept.place(bench, "in.jsonl");
      const begun = await kept.load(redis, "submitted", bench);
      const done = await rankingsInRedis(redis);
      expect(done.length).toBeGreaterThan(0);
      const total = kept.expected.length + 1;
      const status = await bench.ask(["status", run, "--json"]);
      expect(JSON.parse(status.stdout)).toMatchObject({ total, done: done.length, failed: 1 });
      expect(await bench.ask(["submit", "--model", BUILTIN, "--input", "in.jsonl"])).toMatchObject({
        code: 0,
        stdout: `${run}\n`,
      });

      await bench.worker(WORKER);
      const results = await bench.ask(["results", run, "--output", "out.jsonl", "--wait"]);
      expect(results.code, results.stderr).toBe(SOME_FAILED);
      const lines = readLines(bench.path("out.jsonl"));
      expectRankings(lines, kept.expected);
      expect(lines).toEqual(expect.arrayContaining(done));
      expect(await attemptsBegun(redis)).toBe(begun + kept.expected.length - done.length);
      const failures = await bench.ask(["failures", run]);
      expect(failures.stdout + failures.stderr).toContain("broken");
    },
  );

  it("a cancelled run keeps its rankings, and is finished once it is tried again", async () => {
    await open();
    const cancelled = kept.read("cancelled.json", named);
    await kept.load(redis, "cancelled", bench);
    const done = await rankingsInRedis(redis);
    expect(done.length).toBeGreaterThan(0);
    const part = await bench.ask(["results", cancelled.run, "--output", "part.jsonl"]);
    expect(part.code, part.stderr).toBe(SOME_FAILED);
    expect(readLines(bench.path("part.jsonl")).sort()).toEqual(done.sort());
    const retried = await bench.ask(["retry", cancelled.run]);
    expect(retried.code, retried.stderr).toBe(0);
    await bench.worker(WORKER);
    const results = await bench.ask(["results", cancelled.run, "--output", "all.jsonl", "--wait"]);
    expect(results.code, results.stderr).toBe(SOME_FAILED);
    const lines = readLines(bench.path("all.jsonl"));
    expectRankings(lines, kept.expected);
    expect(lines).toEqual(expect.arrayContaining(done));
  });

  it("a complete run gives its rankings, and is found complete when it is submitted again", async () => {
    await open();
    kept.place(bench, "in.jsonl");
    const complete = kept.read("complete.json", named);
    const begun = await kept.load(redis, "complete", bench);
    const again = await bench.ask(["submit", "--model", BUILTIN, "--input", "in.jsonl"]);
    expect(again).toMatchObject({ code: 0, stdout: `${complete.run}\n` });
    const status = await bench.ask(["status", complete.run, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({
      state: "complete",
      done: kept.expected.length,
    });
    const results = await bench.ask(["results", complete.run, "--output", "out.jsonl"]);
    expect(results.code, results.stderr).toBe(SOME_FAILED);
    expectRankings(readLines(bench.path("out.jsonl")), kept.expected);
    expect(await attemptsBegun(redis)).toBe(begun);
  });

  it("a submitted run is purged, and nothing of it stays", async () => {
    await open();
    await kept.load(redis, "submitted", bench);
    const purged = await bench.ask(["purge", run, "--force"]);
    expect(purged.code, purged.stderr).toBe(0);
    const left = await redis.keys("*");
    expect(left.filter((key) => /\{run:|:(owners|payload|result|r[0-9a-f]{40})/.test(key))).toEqual(
      [],
    );
  });
});
