/** submit, worker, status, results, cancel and retry, on a Redis that they share. */
import { existsSync, readdirSync } from "node:fs";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runOwner } from "../../src/runs/run-parts.js";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import {
  multiply,
  readFailures,
  readLines,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

interface Status {
  run: string;
  state: string;
  total: number;
  done: number;
  failed: number;
  waiting: number;
  active: number;
  queues: string[];
}

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
});

afterEach(async () => {
  await bench.close();
  await redis.flushall();
});

function submission(input: string, more = ""): string[] {
  return ["submit", "--model", BUILTIN, "--input", input, ...words(more)];
}

async function submit(input: string, more = ""): Promise<string> {
  const exit = await bench.run(submission(input, more));
  expect(exit).toMatchObject({ code: 0 });
  return exit.stdout.trimEnd().split("\n").at(-1) ?? "";
}

async function statusOf(run: string): Promise<Status> {
  const exit = await bench.run(["status", run, "--json"]);
  expect(exit.code).toBe(0);
  return JSON.parse(exit.stdout) as Status;
}

function large(id: string): object {
  return { id, query: id, documents: ["x ".repeat(40_000), id] };
}

/** Records scored so far by anyone: each attempt at a job draws one fence. */
async function attempts(): Promise<number> {
  const [key] = await redis.keys("rankmill:*:fences");
  return key === undefined ? 0 : Number(await redis.get(key));
}

describe("a run that is submitted", () => {
  it("is one run however often and by however many it is submitted, and is scored once", async () => {
    const racing = [1, 2].map(() => bench.run(submission(SAMPLE)));
    const [first, second] = await Promise.all(racing);
    expect([first?.code, second?.code]).toEqual([0, 0]);
    expect(first?.stdout).toBe(second?.stdout);
    const run = first?.stdout.trim() ?? "";
    expect(await statusOf(run)).toEqual(
      expect.objectContaining({
        run,
        state: "submitted",
        total: 54,
        done: 0,
        failed: 0,
        waiting: 54,
        active: 0,
        queues: [
          expect.stringMatching(/^\{builtin-bm25\.[0-9a-f]{12}\.fp32\.v1\}-interactive$/),
          expect.stringMatching(/-bulk$/),
        ],
      }),
    );
    const early = await bench.run(["results", run, "--output", "early.jsonl"]);
    expect(early.code).toBe(4);
    expect(early.stderr).toContain("54 not over yet");

    const worker = await bench.worker(["--model", BUILTIN]);
    const waited = await bench.run(["results", run, "--output", "all.jsonl", "--wait"]);
    expect(waited.code).toBe(0);
    expect(await attempts()).toBe(54);
    expect(await submit(SAMPLE)).toBe(run);
    expect(await statusOf(run)).toMatchObject({
      state: "complete",
      total: 54,
      done: 54,
      waiting: 0,
    });
    const again = await bench.run(["results", run, "--output", "again.jsonl"]);
    expect(again.code).toBe(0);
    // A submission that found all of it done has added no attempt.
    expect(await attempts()).toBe(54);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);

    expect(readRankings(bench.path("all.jsonl")).map(({ id }) => id)).toEqual(
      readLines(SAMPLE).map((line) => (JSON.parse(line) as { id: string }).id),
    );
    expect(readLines(bench.path("again.jsonl"))).toEqual(readLines(bench.path("all.jsonl")));
    expect(readdirSync(bench.folder).filter((name) => name.includes("partial"))).toEqual([]);
    // The other way to the same rankings; it would be given what is here already.
    await redis.flushall();
    expect((await bench.run(rerank(SAMPLE, "run.jsonl"))).code).toBe(0);
    expect(sortedLines(bench.path("run.jsonl"))).toEqual(sortedLines(bench.path("all.jsonl")));
  });

  it("keeps refused lines apart, and reads from standard input under a name that it is given", async () => {
    const good = { id: "a", query: "q", documents: ["q"] };
    const submitted = await bench.run(submission("-", "--run nightly"), {
      input: `${JSON.stringify(good)}\n{"id":"b"}\n`,
    });
    expect(submitted).toMatchObject({ code: 0, stdout: "nightly\n" });
    await bench.worker(["--model", BUILTIN]);
    const exit = await bench.run(["results", "nightly", "--output", "-", "--wait"]);
    expect(exit.code).toBe(3);
    expect(JSON.parse(exit.stdout)).toMatchObject({ id: "a", usage: { pairs: 1 } });
    expect(exit.stderr).toMatch(/"line":2,"id":"b","code":"invalid_field"/);
    expect((await bench.run(["results", "nightly", "--output", "n.jsonl"])).code).toBe(3);
    expect(readFailures(bench.path("n.failed.jsonl"))).toMatchObject([
      { line: 2, id: "b", reason: expect.stringContaining("query"), input: { id: "b" } },
    ]);
    const other = await bench.run(submission("-", "--run nightly --max-length 64"), {
      input: JSON.stringify(good),
    });
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("maxLength was 512, is 64");
  });

  it("keeps its name to its input, also where two submit others under it at once", async () => {
    writeRecords(bench.path("a.jsonl"), [{ id: "a", query: "q", documents: ["q"] }]);
    writeRecords(bench.path("b.jsonl"), [{ id: "b", query: "q", documents: ["q"] }]);
    for (const more of ["--run one", "--run two --spool spool"]) {
      const racing = ["a.jsonl", "b.jsonl", "a.jsonl"].map((input) =>
        bench.run(submission(input, more)),
      );
      const [first, other, third] = await Promise.all(racing);
      // Whichever was first.
      expect(new Set([first?.code, other?.code])).toEqual(new Set([0, 2]));
      expect(third?.code).toBe(first?.code);
      const refused = first?.code === 2 ? first : other;
      expect(refused?.stderr).toContain("is a run over another input");
    }
    expect(await statusOf("one")).toMatchObject({ total: 1, waiting: 1 });
    await redis.flushall();
    const forgotten = await bench.run(submission("a.jsonl", "--run two --spool spool"));
    expect(forgotten.code).toBe(2);
    expect(forgotten.stderr).toContain("that Redis has forgotten");
    expect((await bench.run(words("purge two --spool spool"))).code).toBe(0);
    expect((await bench.run(submission("a.jsonl", "--run two --spool spool"))).code).toBe(0);
  });

  it.each(["", ".", "..", "a/b", "a b", "é", "x".repeat(129), "-a", "{a}", "a:b"])(
    "refuses the name %j",
    async (name) => {
      const exit = await bench.run([...submission(SAMPLE), `--run=${name}`]);
      expect(exit.code).toBe(2);
      expect(exit.stderr).toMatch(/run id|argument missing/);
      expect(await redis.keys("rankmill:*run*")).toEqual([]);
    },
  );

  it("is waited for and written by one command, to a file or to standard output", async () => {
    await bench.worker(["--model", BUILTIN, "--lanes", "1"]);
    const output = bench.path("out.jsonl");
    const run = await submit(SAMPLE, `--output ${output}`);
    expect(readRankings(output)).toHaveLength(54);
    const piped = await bench.run(submission(SAMPLE, "--output -"));
    expect(piped.code).toBe(0);
    expect(piped.stdout.split("\n").slice(0, -1)).toEqual(readLines(output));
    expect(piped.stderr).toContain(run);
    const nowhere = await bench.run(submission(SAMPLE, "--output no/where.jsonl"));
    expect(nowhere).toMatchObject({ code: 2 });
  });

  it("keeps large payloads under keys of their own until they are scored", async () => {
    writeRecords(bench.path("in.jsonl"), [
      large("a"),
      large("b"),
      { ...large("c"), documents: [] },
    ]);
    const run = await submit("in.jsonl");
    const payloads = await redis.keys("rankmill:*:payload:*");
    expect(payloads).toHaveLength(2);
    for (const key of payloads) {
      expect(await redis.ttl(key)).toBeGreaterThan(0);
      const job = await redis.hget(key.replace("}:payload:", "}-bulk:"), "data");
      expect(job?.length).toBeLessThan(1_000);
      expect(job).not.toContain("x x");
    }
    const worker = await bench.worker(["--model", BUILTIN]);
    expect((await bench.run(["status", run, "--watch"])).code).toBe(0);
    expect(await redis.keys("rankmill:*:payload:*")).toEqual([]);
    expect(await redis.keys("rankmill:*:result:*")).toHaveLength(3);
    expect(await statusOf(run)).toMatchObject({ done: 3, failed: 0 });
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });
});

describe("cancel and retry", () => {
  it("stop what is waiting, keep what is done, and take it up again", async () => {
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, 3));
    const run = await submit("in.jsonl");
    const slow = words("--lanes 1 --concurrency 1 --max-batch-size 1");
    const worker = await bench.worker(["--model", BUILTIN, ...slow]);
    await until("some are done", async () => (await redis.keys("rankmill:*:result:*")).length > 3);
    const cancelled = await bench.run(["cancel", run]);
    expect(cancelled.code).toBe(0);
    const stopped = Number(/^(\d+) records stopped/m.exec(cancelled.stderr)?.[1]);
    expect(stopped).toBeGreaterThan(0);
    expect(stopped).toBeLessThan(162);

    const after = await statusOf(run);
    expect(after).toMatchObject({ state: "cancelled", total: 162, waiting: 0, active: 0 });
    expect(after.done + after.failed).toBe(162);
    expect((await bench.run(["results", run, "--output", "part.jsonl"])).code).toBe(3);
    const [kept, dropped] = [
      readRankings(bench.path("part.jsonl")).map(({ id }) => id),
      readFailures(bench.path("part.failed.jsonl")),
    ];
    expect(kept.length + dropped.length).toBe(162);
    expect(new Set(dropped.map(({ code }) => code))).toEqual(new Set(["cancelled"]));
    expect(dropped[0]?.input).toMatchObject({ id: dropped[0]?.id, query: expect.any(String) });

    // As a cancellation leaves it that is killed half way.
    const [counter = ""] = await redis.keys("rankmill:*:fences");
    const refused = counter.replace(/fences$/, "refused");
    expect(await redis.exists(refused)).toBe(0);
    await redis.sadd(refused, runOwner(run));
    const retried = await bench.run(["retry", run]);
    expect(retried.code).toBe(0);
    expect(await redis.exists(refused)).toBe(0);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
    await bench.worker(["--model", BUILTIN]);
    expect((await bench.run(["results", run, "--output", "all.jsonl", "--wait"])).code).toBe(0);
    expect(new Set(readRankings(bench.path("all.jsonl")).map(({ id }) => id)).size).toBe(162);
    expect(existsSync(bench.path("all.failed.jsonl"))).toBe(false);
    const done = sortedLines(bench.path("all.jsonl"));
    expect(done).toEqual(expect.arrayContaining(sortedLines(bench.path("part.jsonl"))));
  });

  it("retry what failed for good, and nothing else", async () => {
    writeRecords(bench.path("in.jsonl"), [
      { id: "small", query: "q", documents: ["q"] },
      { id: "wide", query: "q", documents: Array.from({ length: 9 }, () => "d") },
    ]);
    const run = await submit("in.jsonl");
    // A worker with narrower limits than the producer's refuses the job: never tried again by itself.
    const narrow = await bench.worker(["--model", BUILTIN, "--max-documents", "5"]);
    expect((await bench.run(["results", run, "--output", "o.jsonl", "--wait"])).code).toBe(3);
    expect(readFailures(bench.path("o.failed.jsonl"))).toMatchObject([
      {
        line: 2,
        id: "wide",
        code: "limit_exceeded",
        reason: expect.stringContaining("9 documents"),
      },
    ]);
    narrow.signal("SIGTERM");
    await narrow.exited;
    const retried = await bench.run(["retry", run]);
    expect(retried.stderr).toContain("1 records enqueued again");
    expect(await statusOf(run)).toMatchObject({ state: "submitted", done: 1, waiting: 1 });
    await bench.worker(["--model", BUILTIN]);
    expect((await bench.run(["results", run, "--output", "o.jsonl", "--wait"])).code).toBe(0);
    expect(readRankings(bench.path("o.jsonl")).map(({ id }) => id)).toEqual(["small", "wide"]);
    expect(existsSync(bench.path("o.failed.jsonl"))).toBe(false);
  });
});

describe("what does not exist", () => {
  it("is an error of the arguments that leaves no files", async () => {
    const exits = await Promise.all([
      bench.run(["results", "no-such-run", "--output", "o.jsonl"]),
      bench.run(["status", "no:such run"]),
      bench.run(submission("no-such-file.jsonl")),
    ]);
    expect(exits.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(exits[0]?.stderr).toContain('no run "no-such-run"');
    expect(exits[2]?.stderr).toContain("no-such-file.jsonl");
    expect(readdirSync(bench.folder).filter((name) => name.startsWith("o."))).toEqual([]);
    const listed = await bench.run(["status"]);
    expect(listed).toMatchObject({ code: 0, stdout: "no runs in this Redis\n" });
  });
});
