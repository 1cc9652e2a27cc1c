/** Spooled runs: a runner owns them, another takes over, and Redis holds their window alone. */
import { existsSync } from "node:fs";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { multiply, readFailures, sortedLines, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { TestS3 } from "../support/s3-server.js";
import { until } from "../support/until.js";

const COPIES = hasRealRedis ? 6 : 1;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 3 --max-batch-size 1";
const TIMEOUT_MS = 180_000;

let server: TestRedis;
let redis: Redis;
let bench: Bench;
let s3: TestS3;
let runs = 0;
/** Where the runs of the test lie. */
let spool: string;

beforeAll(async () => {
  s3 = await TestS3.start();
});

afterAll(async () => {
  await s3.close();
});

beforeEach(async () => {
  server = await TestRedis.start();
  redis = server.client();
  bench = await Bench.open({ REDIS_URL: server.url, RANKMILL_SPOOL: "", ...s3.env });
  writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

afterEach(async () => {
  await bench.close();
  await server.close();
});

function spooled(line: string): string[] {
  return [...words(line), "--spool", spool];
}

async function submit(input = "in.jsonl"): Promise<string> {
  const args = spooled(`submit --model ${BUILTIN} --input ${input}`);
  const { stdout, code, stderr } = await bench.run(args);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

interface Figures {
  readonly done: number;
  readonly failed: number;
  readonly state: string;
}

async function status(run: string): Promise<Figures> {
  const { stdout } = await bench.run(["status", run, "--json"]);
  return JSON.parse(stdout) as Figures;
}

describe.each(["folder", "bucket"])("a run spooled in a %s", (kind) => {
  beforeEach(() => {
    runs += 1;
    spool = kind === "folder" ? bench.path("spool") : s3.place(`runs-${runs}`);
  });

  it(
    "is ranked as the run command ranks it, by the second runner where the first is killed",
    async () => {
      await bench.worker(["--model", BUILTIN, ...words(SLOW)]);
      const run = await submit();
      const first = bench.start(spooled("runner"));
      await until("some are ranked", async () => (await status(run)).done > 0);
      first.signal("SIGKILL");
      await first.exited;
      const before = await status(run);
      expect(before.done).toBeLessThan(RECORDS);
      const second = bench.start(spooled("runner"));
      await second.says("owner of the run");
      const results = await bench.run(spooled(`results ${run} --wait --output out.jsonl`));
      expect(results.code, results.stderr).toBe(0);
      await bench.run(rerank("in.jsonl", "plain.jsonl"));
      expect(sortedLines(bench.path("out.jsonl"))).toEqual(sortedLines(bench.path("plain.jsonl")));
      expect(await redis.keys("rankmill:*:result:*")).toEqual([]);
      expect(await redis.keys("rankmill:*:owners:*")).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    "lists what failed, tries it again, and goes on after a cancellation",
    async () => {
      const records = multiply(SAMPLE, COPIES);
      writeRecords(bench.path("bad.jsonl"), [...records, { id: "no-documents", query: "q" }]);
      const run = await submit("bad.jsonl");
      const cancelled = await bench.run(spooled(`cancel ${run}`));
      expect(cancelled.stderr).toContain(`${RECORDS + 1} records stopped`);
      bench.start(spooled("runner"));
      await bench.worker(["--model", BUILTIN]);
      const retried = await bench.run(spooled(`retry ${run}`));
      expect(retried.stderr).toContain(`${RECORDS + 1} records enqueued again`);
      const results = await bench.run(spooled(`results ${run} --wait --output out.jsonl`));
      expect(results.code, results.stderr).toBe(3);
      expect(sortedLines(bench.path("out.jsonl"))).toHaveLength(RECORDS);
      const [failure] = readFailures(bench.path("out.failed.jsonl"));
      expect(failure).toMatchObject({
        line: RECORDS + 1,
        id: "no-documents",
        code: "invalid_field",
      });
      expect((await status(run)).state).toBe("complete");
      // Submitting it again finds it over.
      expect(await submit("bad.jsonl")).toBe(run);
      expect((await status(run)).state).toBe("complete");
    },
    TIMEOUT_MS,
  );

  it("keeps a run's id from leading out of the spool", async () => {
    const { code, stderr } = await bench.run(
      spooled(`submit --model ${BUILTIN} --input in.jsonl --run ../../escape`),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('run id "../../escape"');
    expect(existsSync(bench.path("../escape"))).toBe(false);
  });
});
