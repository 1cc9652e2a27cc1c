/** Redis killed, restarted and emptied while runs are under way. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { resultKeys } from "../support/queue-view.js";
import {
  countLines,
  multiply,
  readLines,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const COPIES = 3;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 3 --max-batch-size 1";
const TIMEOUT_MS = 180_000;

let server: TestRedis;
let redis: Redis;
let bench: Bench;

beforeEach(async () => {
  server = await TestRedis.start();
  redis = server.client();
  bench = await Bench.open({ REDIS_URL: server.url });
  writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

afterEach(async () => {
  await bench.close();
  await server.close();
});

function idsOf(output: string): string[] {
  const ids = readRankings(bench.path(output)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  return ids.sort();
}

const INPUT_IDS = multiply(SAMPLE, COPIES)
  .map(({ id }) => String(id))
  .sort();

describe.skipIf(!hasRealRedis)("a Redis that is killed and comes back with its data", () => {
  it(
    "delays a submitted run, and every record is ranked once",
    async () => {
      const submitted = await bench.run(["submit", "--model", BUILTIN, "--input", "in.jsonl"]);
      const run = submitted.stdout.trim();
      const worker = await bench.worker(["--model", BUILTIN, ...words(SLOW)]);
      await worker.until("some are scored", async () => (await resultKeys(redis)).size >= 5);
      await server.kill();
      await worker.says("ECONNREFUSED");
      await server.startAgain();
      expect((await resultKeys(redis)).size).toBeLessThan(RECORDS);
      const results = await bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
      expect(results.code).toBe(0);
      expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
      worker.signal("SIGTERM");
      expect(await worker.exited).toMatchObject({ code: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    "delays a run in the foreground, and every record is ranked once",
    async () => {
      const run = bench.start(rerank("in.jsonl", "out.jsonl", `${SLOW} --in-flight-jobs 30`));
      const partial = bench.path("out.jsonl.partial");
      await run.until("some rankings are on disk", () => countLines(partial) >= 5);
      await server.kill();
      await run.says("ECONNREFUSED");
      const kept = readLines(partial);
      expect(kept.length).toBeLessThan(RECORDS);
      await server.startAgain();
      expect(await run.exited).toMatchObject({ code: 0 });
      expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
      expect(readLines(bench.path("out.jsonl")).slice(0, kept.length)).toEqual(kept);
    },
    TIMEOUT_MS,
  );
});

describe("a Redis that loses everything", () => {
  it(
    "does not stop a run in the foreground: what it waits for is enqueued again",
    async () => {
      const run = bench.start(rerank("in.jsonl", "out.jsonl", `${SLOW} --in-flight-jobs 30`));
      await until(
        "some rankings are on disk",
        () => countLines(bench.path("out.jsonl.partial")) >= 5,
      );
      await redis.flushall();
      expect(await run.exited).toMatchObject({ code: 0 });
      expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
      expect((await bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
      expect(sortedLines(bench.path("out.jsonl"))).toEqual(
        sortedLines(bench.path("undisturbed.jsonl")),
      );
    },
    TIMEOUT_MS,
  );

  it("does not keep a worker from the jobs that come afterwards", async () => {
    const worker = await bench.worker(["--model", BUILTIN]);
    await redis.flushall();
    await redis.script("FLUSH");
    const submitted = await bench.run(["submit", "--model", BUILTIN, "--input", "in.jsonl"]);
    const exit = await bench.run([
      "results",
      submitted.stdout.trim(),
      "--output",
      "out.jsonl",
      "--wait",
    ]);
    expect(exit.code).toBe(0);
    expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
    worker.signal("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
  });
});
