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
import { readLines } from "../support/records.js";
import { redisKinds, TestRedis, type RedisKind } from "../support/redis-server.js";

const WORKER = ["--model", BUILTIN];
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

  it.each(redisKinds)(
    "a submitted run is finished on %s, and its rankings stay as they were",
    async (kind) => {
      await open(kind);
      kept.place(bench, "in.jsonl");
      const begun = await kept.load(redis, "submitted", bench);
      const done = await rankingsInRedis(redis);
      expect(done.length).toBeGreaterThan(0);
      const total = kept.expected.length + 1;
      const status = await bench.run(["status", run, "--json"]);
      expect(JSON.parse(status.stdout)).toMatchObject({ total, done: done.length, failed: 1 });
      expect(await bench.run(["submit", "--model", BUILTIN, "--input", "in.jsonl"])).toMatchObject({
        code: 0,
        stdout: `${run}\n`,
      });

      await bench.worker(WORKER);
      const results = await bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
      expect(results.code, results.stderr).toBe(SOME_FAILED);
      const lines = readLines(bench.path("out.jsonl"));
      expectRankings(lines, kept.expected);
      expect(lines).toEqual(expect.arrayContaining(done));
      expect(await attemptsBegun(redis)).toBe(begun + kept.expected.length - done.length);
      const failures = await bench.run(["failures", run]);
      expect(failures.stdout + failures.stderr).toContain("broken");
    },
  );

  it("a submitted run is purged, and nothing of it stays", async () => {
    await open();
    await kept.load(redis, "submitted", bench);
    const purged = await bench.run(["purge", run, "--force"]);
    expect(purged.code, purged.stderr).toBe(0);
    const left = await redis.keys("*");
    expect(left.filter((key) => /\{run:|:(owners|payload|result|r[0-9a-f]{40})/.test(key))).toEqual(
      [],
    );
  });
});
