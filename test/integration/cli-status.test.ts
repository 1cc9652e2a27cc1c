/** What `status` says of runs under way: figures, speed, workers and lanes at work, memory. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runReportSchema, type RunReport } from "../../src/runs/run-report.js";
import { Bench, BUILTIN, SAMPLE, words } from "../support/cli.js";
import { multiply, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const COPIES = hasRealRedis ? 12 : 2;
const SLOW = "--lanes 1 --concurrency 2 --max-batch-size 1";
const SCHEMA = fileURLToPath(new URL("../../docs/schema/run-status.v1.json", import.meta.url));

let server: TestRedis;
let redis: Redis;
let bench: Bench;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  bench = await Bench.open({ REDIS_URL: server.url });
  writeRecords(bench.path("in.jsonl"), [
    ...multiply(SAMPLE, COPIES),
    "not JSON",
    { id: "no-documents", query: "q" },
  ]);
});

afterEach(async () => {
  await bench.close();
  await redis.flushall();
});

async function statusOf(run: string): Promise<RunReport> {
  const { stdout, stderr } = await bench.run(["status", run, "--json"]);
  expect(stderr).toBe("");
  return runReportSchema.parse(JSON.parse(stdout));
}

async function submit(more = ""): Promise<string> {
  const args = ["submit", "--model", BUILTIN, "--input", "in.jsonl", ...words(more)];
  const { code, stdout, stderr } = await bench.run(args);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

describe.each(["in Redis", "in a spool"])("the status of a run %s", (place) => {
  const spool = place === "in a spool" ? ` --spool spool` : "";

  it("tells its figures, its speed, who works on it and what it takes", async () => {
    const run = await submit(spool);
    const before = await statusOf(run);
    expect(before).toMatchObject({
      run,
      total: COPIES * 54 + 2,
      done: 0,
      workers: [],
      lanes: 0,
      owner: null,
      eta_seconds: null,
      spooled: spool !== "",
    });
    const worker = await bench.worker(["--model", BUILTIN, ...words(SLOW)]);
    const runner =
      spool === "" ? undefined : bench.start(words(`runner --in-flight-jobs 50 ${spool}`));
    const during = await until("it is under way", async () => {
      const now = await statusOf(run);
      expect(now.state).toBe("submitted");
      return (now.speed?.pairs_per_second ?? 0) > 0 && now.waiting > 0 ? now : undefined;
    });
    expect(during.done + during.failed + during.waiting + during.active).toBe(during.total);
    expect(during.speed?.tokens_per_second).toBeGreaterThan(during.speed?.pairs_per_second ?? 0);
    expect(during.eta_seconds).toBeGreaterThan(0);
    expect(during.oldest_waiting_seconds).toBeGreaterThan(0);
    expect(during.workers).toMatchObject([{ pid: worker.pid, lanes: 1 }]);
    expect(during.lanes).toBe(1);
    expect(during.owner?.split(":")[1]).toBe(runner === undefined ? undefined : String(runner.pid));
    // js-redis-server cannot tell.
    expect(during.redis_bytes ?? Infinity).toBeGreaterThan(1_000);

    const watched = await bench.run(["status", run, "--watch"]);
    expect(watched.stderr).toMatch(/\d+ pairs\/s · \d+ tokens\/s · ETA/);
    expect(watched.stdout).toMatch(/\(complete\)[^]*failed {3}1 invalid_json, 1 invalid_field/);
    const after = await statusOf(run);
    expect(after).toMatchObject({
      state: "complete",
      done: COPIES * 54,
      failed: 2,
      failed_by_code: { invalid_json: 1, invalid_field: 1 },
      speed: null,
      eta_seconds: 0,
      oldest_waiting_seconds: null,
    });
    const listed = await bench.run(["status", "--json"]);
    expect(runReportSchema.array().parse(JSON.parse(listed.stdout))).toHaveLength(1);
  });
});

describe("workers", () => {
  it("leave nothing behind that says they are here, stopped or killed", async () => {
    const [stopped, killed] = [
      await bench.worker(["--model", BUILTIN, "--lanes", "1"]),
      await bench.worker(["--model", BUILTIN, "--lanes", "1"]),
    ];
    const run = await submit();
    await until("both are listed", async () => (await statusOf(run)).workers.length === 2);
    stopped.signal("SIGTERM");
    expect((await stopped.exited).code).toBe(0);
    expect((await statusOf(run)).workers.map(({ pid }) => pid)).toEqual([killed.pid]);
    killed.signal("SIGKILL");
    await killed.exited;
    await until("the killed one is forgotten", async () => {
      return (await redis.keys("rankmill:*:worker*")).length === 0;
    });
    expect((await statusOf(run)).workers).toEqual([]);
  });
});

describe("the published schema of a status", () => {
  it("is what the command prints", async () => {
    const { stdout } = await bench.run(["schema", "status"]);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(SCHEMA, "utf8")));
  });
});
