/** submit, worker, status, results, cancel and retry, on a Redis that they share. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bullJobKey, refusedKey } from "../../src/redis/keys.js";
import { runOwner } from "../../src/runs/run-parts.js";
import { BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { attemptsBegun, payloadKeys, resultKeys, servedTag } from "../support/queue-view.js";
import {
  multiply,
  readFailures,
  readLines,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { given, longTests } from "../support/needs.js";

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

const fleet = useFleet();

function submission(input: string, more = ""): string[] {
  return ["submit", "--model", BUILTIN, "--input", input, ...words(more)];
}

async function statusOf(run: string): Promise<Status> {
  const exit = await fleet.ask(["status", run, "--json"]);
  expect(exit.code).toBe(0);
  return JSON.parse(exit.stdout) as Status;
}

function large(id: string): object {
  return { id, query: id, documents: ["x ".repeat(40_000), id] };
}

describe("a run that is submitted", () => {
  it("a file is one run however often and by however many it is submitted, and is scored once", async () => {
    const racing = [1, 2].map(() => fleet.bench.run(submission(SAMPLE)));
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
    const early = await fleet.ask(["results", run, "--output", "early.jsonl"]);
    expect(early.code).toBe(4);
    expect(early.stderr).toContain("54 not over yet");

    const worker = await fleet.worker();
    const waited = await fleet.run(["results", run, "--output", "all.jsonl", "--wait"]);
    expect(waited.code).toBe(0);
    expect(await attemptsBegun(fleet.redis)).toBe(54);
    expect(await fleet.submit(SAMPLE)).toBe(run);
    expect(await statusOf(run)).toMatchObject({
      state: "complete",
      total: 54,
      done: 54,
      waiting: 0,
    });
    const again = await fleet.ask(["results", run, "--output", "again.jsonl"]);
    expect(again.code).toBe(0);
    // A submission that found all of it done has added no attempt.
    expect(await attemptsBegun(fleet.redis)).toBe(54);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);

    expect(readRankings(fleet.bench.path("all.jsonl")).map(({ id }) => id)).toEqual(
      readLines(SAMPLE).map((line) => (JSON.parse(line) as { id: string }).id),
    );
    expect(readLines(fleet.bench.path("again.jsonl"))).toEqual(
      readLines(fleet.bench.path("all.jsonl")),
    );
    expect(readdirSync(fleet.bench.folder).filter((name) => name.includes("partial"))).toEqual([]);
    // The other way to the same rankings; it would be given what is here already.
    await fleet.redis.flushall();
    expect((await fleet.ask(rerank(SAMPLE, "run.jsonl"))).code).toBe(0);
    expect(sortedLines(fleet.bench.path("run.jsonl"))).toEqual(
      sortedLines(fleet.bench.path("all.jsonl")),
    );
  });

  it(
    "a submitted run keeps refused lines apart, and may come from standard input under a name of its own",
    given(longTests),
    async () => {
      const good = { id: "a", query: "q", documents: ["q"] };
      const submitted = await fleet.bench.run(submission("-", "--run nightly"), {
        input: `${JSON.stringify(good)}\n{"id":"b"}\n`,
      });
      expect(submitted).toMatchObject({ code: 0, stdout: "nightly\n" });
      await fleet.worker();
      const exit = await fleet.ask(["results", "nightly", "--output", "-", "--wait"]);
      expect(exit.code).toBe(3);
      expect(JSON.parse(exit.stdout)).toMatchObject({ id: "a", usage: { pairs: 1 } });
      expect(exit.stderr).toMatch(/"line":2,"id":"b","code":"invalid_field"/);
      expect((await fleet.ask(["results", "nightly", "--output", "n.jsonl"])).code).toBe(3);
      expect(readFailures(fleet.bench.path("n.failed.jsonl"))).toMatchObject([
        { line: 2, id: "b", reason: expect.stringContaining("query"), input: { id: "b" } },
      ]);
      const other = await fleet.bench.run(submission("-", "--run nightly --max-length 64"), {
        input: JSON.stringify(good),
      });
      expect(other.code).toBe(2);
      expect(other.stderr).toContain("maxLength was 512, is 64");
    },
  );

  it(
    "the name of a run stays with its input, also if two submit different inputs under it at once",
    given(longTests),
    async () => {
      writeRecords(fleet.bench.path("a.jsonl"), [{ id: "a", query: "q", documents: ["q"] }]);
      writeRecords(fleet.bench.path("b.jsonl"), [{ id: "b", query: "q", documents: ["q"] }]);
      for (const more of ["--run one", "--run two --spool spool"]) {
        const racing = ["a.jsonl", "b.jsonl", "a.jsonl"].map((input) =>
          fleet.bench.run(submission(input, more)),
        );
        const [first, other, third] = await Promise.all(racing);
        // Whichever was first.
        expect(new Set([first?.code, other?.code])).toEqual(new Set([0, 2]));
        expect(third?.code).toBe(first?.code);
        const refused = first?.code === 2 ? first : other;
        expect(refused?.stderr).toContain("is a run over another input");
      }
      expect(await statusOf("one")).toMatchObject({ total: 1, waiting: 1 });
      await fleet.redis.flushall();
      const forgotten = await fleet.ask(submission("a.jsonl", "--run two --spool spool"));
      expect(forgotten.code).toBe(2);
      expect(forgotten.stderr).toContain("that Redis has forgotten");
      expect((await fleet.ask(words("purge two --spool spool"))).code).toBe(0);
      expect((await fleet.ask(submission("a.jsonl", "--run two --spool spool"))).code).toBe(0);
    },
  );

  it.each(["", ".", "..", "a/b", "a b", "é", "x".repeat(129), "-a", "{a}", "a:b"])(
    "submit refuses %j as the name of a run",
    async (name) => {
      const exit = await fleet.ask([...submission(SAMPLE), `--run=${name}`]);
      expect(exit.code).toBe(2);
      expect(exit.stderr).toMatch(/run id|argument missing/);
      expect(await fleet.redis.keys("rankmill:*run*")).toEqual([]);
    },
  );

  it("one command submits a run, waits for it and writes it to a file or to standard output", async () => {
    await fleet.worker("--lanes 1");
    const output = fleet.bench.path("out.jsonl");
    const run = await fleet.submit(SAMPLE, `--output ${output}`);
    expect(readRankings(output)).toHaveLength(54);
    const piped = await fleet.ask(submission(SAMPLE, "--output -"));
    expect(piped.code).toBe(0);
    expect(piped.stdout.split("\n").slice(0, -1)).toEqual(readLines(output));
    expect(piped.stderr).toContain(run);
    const nowhere = await fleet.ask(submission(SAMPLE, "--output no/where.jsonl"));
    expect(nowhere).toMatchObject({ code: 2 });
  });

  it("large payloads have keys of their own in Redis until they are scored", async () => {
    writeRecords(fleet.bench.path("in.jsonl"), [
      large("a"),
      large("b"),
      { ...large("c"), documents: [] },
    ]);
    const run = await fleet.submit("in.jsonl");
    const payloads = await payloadKeys(fleet.redis);
    expect(payloads.size).toBe(2);
    for (const [jobId, key] of payloads) {
      expect(await fleet.redis.ttl(key)).toBeGreaterThan(0);
      const tag = /\{(.+)\}/.exec(key)?.[1] ?? "";
      const job = await fleet.redis.hget(bullJobKey(tag, "bulk", jobId), "data");
      expect(job?.length).toBeLessThan(1_000);
      expect(job).not.toContain("x x");
    }
    const worker = await fleet.worker();
    expect((await fleet.ask(["status", run, "--watch"])).code).toBe(0);
    expect((await payloadKeys(fleet.redis)).size).toBe(0);
    expect((await resultKeys(fleet.redis)).size).toBe(3);
    expect(await statusOf(run)).toMatchObject({ done: 3, failed: 0 });
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });
});

describe("cancel and retry", () => {
  it("cancel stops what waits and keeps what is done, and retry takes it up again", async () => {
    writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, 1));
    const run = await fleet.submit("in.jsonl");
    fleet.gate.hold();
    const worker = await fleet.worker(
      "--lanes 1 --concurrency 1 --max-batch-size 1 --no-calibrate",
    );
    await fleet.gate.stepUntil(
      "some are done",
      async () => (await resultKeys(fleet.redis)).size > 3,
    );
    const cancelled = await fleet.run(["cancel", run]);
    fleet.gate.release();
    expect(cancelled.code).toBe(0);
    const stopped = Number(/^(\d+) records? stopped/m.exec(cancelled.stderr)?.[1]);
    expect(stopped).toBeGreaterThan(0);
    expect(stopped).toBeLessThan(54);

    const after = await statusOf(run);
    expect(after).toMatchObject({ state: "cancelled", total: 54, waiting: 0, active: 0 });
    expect(after.done + after.failed).toBe(54);
    expect((await fleet.ask(["results", run, "--output", "part.jsonl"])).code).toBe(3);
    const [kept, dropped] = [
      readRankings(fleet.bench.path("part.jsonl")).map(({ id }) => id),
      readFailures(fleet.bench.path("part.failed.jsonl")),
    ];
    expect(kept.length + dropped.length).toBe(54);
    expect(new Set(dropped.map(({ code }) => code))).toEqual(new Set(["cancelled"]));
    expect(dropped[0]?.input).toMatchObject({ id: dropped[0]?.id, query: expect.any(String) });

    // The state is that of a cancellation that is killed half way.
    const refused = refusedKey(await servedTag(fleet.redis));
    expect(await fleet.redis.exists(refused)).toBe(0);
    await fleet.redis.sadd(refused, runOwner(run));
    const retried = await fleet.run(["retry", run]);
    expect(retried.code).toBe(0);
    expect(await fleet.redis.exists(refused)).toBe(0);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
    await fleet.worker();
    expect((await fleet.ask(["results", run, "--output", "all.jsonl", "--wait"])).code).toBe(0);
    expect(new Set(readRankings(fleet.bench.path("all.jsonl")).map(({ id }) => id)).size).toBe(54);
    expect(existsSync(fleet.bench.path("all.failed.jsonl"))).toBe(false);
    const done = sortedLines(fleet.bench.path("all.jsonl"));
    expect(done).toEqual(expect.arrayContaining(sortedLines(fleet.bench.path("part.jsonl"))));
  });

  it("retry says that a record which is no valid record can never be ranked", async () => {
    writeRecords(fleet.bench.path("in.jsonl"), [{ id: "none", query: "q" }]);
    const run = await fleet.submit("in.jsonl");
    const retried = await fleet.ask(["retry", run]);
    expect(retried.code).toBe(0);
    expect(retried.stderr).toContain("0 records enqueued again; 1 record can never be ranked");
  });

  it("retry tries again what failed for good, and nothing else", async () => {
    writeRecords(fleet.bench.path("in.jsonl"), [
      { id: "small", query: "q", documents: ["q"] },
      { id: "wide", query: "q", documents: Array.from({ length: 9 }, () => "d") },
    ]);
    const run = await fleet.submit("in.jsonl");
    // A worker with narrower limits than the producer's refuses the job: never tried again by itself.
    const narrow = await fleet.worker("--max-documents 5");
    expect((await fleet.ask(["results", run, "--output", "o.jsonl", "--wait"])).code).toBe(3);
    expect(readFailures(fleet.bench.path("o.failed.jsonl"))).toMatchObject([
      {
        line: 2,
        id: "wide",
        code: "limit_exceeded",
        reason: expect.stringContaining("9 documents"),
      },
    ]);
    narrow.signal("SIGTERM");
    await narrow.exited;
    const retried = await fleet.ask(["retry", run]);
    expect(retried.stderr).toContain("1 record enqueued again");
    expect(await statusOf(run)).toMatchObject({ state: "submitted", done: 1, waiting: 1 });
    await fleet.worker();
    expect((await fleet.ask(["results", run, "--output", "o.jsonl", "--wait"])).code).toBe(0);
    expect(readRankings(fleet.bench.path("o.jsonl")).map(({ id }) => id)).toEqual([
      "small",
      "wide",
    ]);
    expect(existsSync(fleet.bench.path("o.failed.jsonl"))).toBe(false);
  });
});

describe("a name that does not exist", () => {
  it("a run or a file that does not exist is an error of the arguments, and leaves no files", async () => {
    const exits = await Promise.all([
      fleet.ask(["results", "no-such-run", "--output", "o.jsonl"]),
      fleet.ask(["status", "no:such run"]),
      fleet.ask(submission("no-such-file.jsonl")),
    ]);
    expect(exits.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(exits[0]?.stderr).toContain('no run "no-such-run"');
    expect(exits[2]?.stderr).toContain("no-such-file.jsonl");
    expect(readdirSync(fleet.bench.folder).filter((name) => name.startsWith("o."))).toEqual([]);
    const listed = await fleet.ask(["status"]);
    expect(listed).toMatchObject({ code: 0, stdout: "no runs in this Redis\n" });
  });
});
