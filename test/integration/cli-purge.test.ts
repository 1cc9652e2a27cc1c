/** cancel and purge: what is left of a run in the queue, in Redis and in the spool. */
import { existsSync, readdirSync } from "node:fs";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, SAMPLE, words, type RunningCli } from "../support/cli.js";
import { jobsAtWork, keySpace } from "../support/key-space.js";
import { multiply, readFailures, readRankings, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const COPIES = hasRealRedis ? 12 : 2;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 2 --max-batch-size 1 --max-documents 40";
/** More documents than the worker takes: a job that fails for good. */
const WIDE = { id: "wide", query: "q", documents: Array.from({ length: 41 }, () => "q") };
/** Above 32 KiB: its payload has a key of its own. */
const LARGE = { id: "large", query: "q", documents: ["x ".repeat(40_000)] };

let server: TestRedis;
let redis: Redis;
let bench: Bench;
let worker: RunningCli;

beforeEach(async () => {
  server = await TestRedis.start();
  redis = server.client();
  bench = await Bench.open({ REDIS_URL: server.url });
  worker = await bench.worker(["--model", BUILTIN, ...words(SLOW)]);
  writeRecords(bench.path("few.jsonl"), [{ id: "a", query: "q", documents: ["q"] }, WIDE]);
  writeRecords(bench.path("many.jsonl"), [...multiply(SAMPLE, COPIES), LARGE]);
});

afterEach(async () => {
  await bench.close();
  await server.close();
});

async function submit(input: string, more: string): Promise<string> {
  const args = ["submit", "--model", BUILTIN, "--input", input, ...words(more)];
  const { code, stdout, stderr } = await bench.run(args);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

async function command(line: string, code = 0): Promise<string> {
  const exit = await bench.run(words(line));
  expect(exit.code, exit.stderr).toBe(code);
  return exit.stderr;
}

async function untilSomeDone(run: string, more: string): Promise<void> {
  await until("some are done", async () => {
    const { stdout } = await bench.run(words(`status ${run} --json`));
    const { done, waiting } = JSON.parse(stdout) as { done: number; waiting: number };
    expect(waiting, more).toBeGreaterThan(0);
    return done > 0;
  });
}

async function untilKeysAre(before: readonly string[]): Promise<void> {
  let now: string[] = [];
  await until(
    "the keys are those from before",
    async () => JSON.stringify((now = await keySpace(redis))) === JSON.stringify(before),
    () => `before\n${before.join("\n")}\nnow\n${now.join("\n")}`,
  );
}

/** The keys of a queue that has served a job, and of no run. */
async function emptied(more: string): Promise<string[]> {
  const run = await submit("few.jsonl", more);
  await command(`results ${run} --wait --output few.out.jsonl ${more}`, 3);
  await command(`purge ${run} ${more}`);
  return await keySpace(redis);
}

describe.each(["in Redis", "in a spool"])("a run %s", (place) => {
  const spooled = place === "in a spool";
  const more = spooled ? "--spool spool" : "";

  it("is purged without a trace, whether complete, cancelled, or under way", async () => {
    let runner = spooled ? bench.start(words(`runner --in-flight-jobs 60 ${more}`)) : undefined;
    const before = await emptied(more);
    expect(before.filter((key) => /run|job|result|owners|payload|fence:/.test(key))).toEqual([]);

    const complete = await submit("few.jsonl", more);
    await command(`results ${complete} --wait --output few.jsonl.out ${more}`, 3);
    await command(`purge ${complete} ${more}`);
    await untilKeysAre(before);
    await command(`status ${complete}`, 2);

    const cancelled = await submit("many.jsonl", more);
    await untilSomeDone(cancelled, more);
    await command(`cancel ${cancelled}`);
    await until("nothing is at work", async () => (await jobsAtWork(redis)) === 0);
    expect((await redis.keys("rankmill:*:payload:*")).length).toBe(0);
    // What was done by then stays.
    await command(`results ${cancelled} --output part.jsonl ${more}`, 3);
    const [done, failed] = [
      readRankings(bench.path("part.jsonl")),
      readFailures(bench.path("part.failed.jsonl")),
    ];
    expect(done.length).toBeGreaterThan(0);
    expect(done.length + failed.length).toBe(RECORDS + 1);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(["cancelled"]));
    await command(`purge ${cancelled} ${more}`);
    await untilKeysAre(before);

    const underWay = await submit("many.jsonl", more);
    await untilSomeDone(underWay, more);
    expect(await command(`purge ${underWay} ${more}`, 2)).toContain("--force");
    if (runner !== undefined) {
      // Its jobs are found without it.
      runner.signal("SIGKILL");
      await runner.exited;
      runner = undefined;
    }
    await command(`purge ${underWay} --force ${more}`);
    await until("nothing is at work", async () => (await jobsAtWork(redis)) === 0);
    await untilKeysAre(before);
    expect(existsSync(bench.path("spool")) ? readdirSync(bench.path("spool")) : []).toEqual([]);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });
});
