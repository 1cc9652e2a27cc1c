/** cancel and purge: what is left of a run in the queue, in Redis and in the spool. */
import { existsSync, readdirSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { SAMPLE, words, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { jobsAtWork, keySpace } from "../support/key-space.js";
import { payloadKeys } from "../support/queue-view.js";
import { multiply, readFailures, readRankings, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";
import { firstUnlessLong } from "../support/needs.js";

const COPIES = 2;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 2 --max-batch-size 1 --max-documents 40 --no-calibrate";
/** More documents than the worker takes: a job that fails for good. */
const WIDE = { id: "wide", query: "q", documents: Array.from({ length: 41 }, () => "q") };
/** Above 32 KiB: its payload has a key of its own. */
const LARGE = { id: "large", query: "q", documents: ["x ".repeat(40_000)] };

const fleet = useFleet({ shared: "nothing" });
let worker: RunningCli;

beforeEach(async () => {
  worker = await fleet.worker(SLOW);
  writeRecords(fleet.bench.path("few.jsonl"), [{ id: "a", query: "q", documents: ["q"] }, WIDE]);
  writeRecords(fleet.bench.path("many.jsonl"), [...multiply(SAMPLE, COPIES), LARGE]);
});

async function command(line: string, code = 0): Promise<string> {
  const exit = await fleet.ask(words(line));
  expect(exit.code, exit.stderr).toBe(code);
  return exit.stderr;
}

/** Submits a long run and holds it when some of it is done and most of it waits. */
async function submitAndHold(more: string): Promise<string> {
  fleet.gate.hold();
  const run = await fleet.submit("many.jsonl", more);
  await fleet.gate.stepUntil(
    "some are done",
    async () => {
      const { stdout } = await fleet.ask(words(`status ${run} --json`));
      const { done, waiting } = JSON.parse(stdout) as { done: number; waiting: number };
      expect(waiting, more).toBeGreaterThan(0);
      return done > 0;
    },
    4,
  );
  return run;
}

async function untilKeysAre(before: readonly string[]): Promise<void> {
  let now: string[] = [];
  await until(
    "the keys are those from before",
    async () => JSON.stringify((now = await keySpace(fleet.redis))) === JSON.stringify(before),
    () => `before\n${before.join("\n")}\nnow\n${now.join("\n")}`,
  );
}

/** The keys of a queue that has served a job, and of no run. */
async function emptied(more: string): Promise<string[]> {
  const run = await fleet.submit("few.jsonl", more);
  await command(`results ${run} --wait --output few.out.jsonl ${more}`, 3);
  await command(`purge ${run} ${more}`);
  return await keySpace(fleet.redis);
}

describe.each(firstUnlessLong(["in Redis", "in a spool"]))("a run %s", (place) => {
  const spooled = place === "in a spool";
  const more = spooled ? "--spool spool" : "";
  let before: readonly string[];
  let runner: RunningCli | undefined;

  beforeEach(async () => {
    runner = spooled ? fleet.bench.start(words(`runner --in-flight-jobs 60 ${more}`)) : undefined;
    before = await emptied(more);
  });

  it(`a complete run ${place} is purged without a trace`, async () => {
    expect(before.filter((key) => /run|job|result|owners|payload|fence:/.test(key))).toEqual([]);
    const complete = await fleet.submit("few.jsonl", more);
    await command(`results ${complete} --wait --output few.jsonl.out ${more}`, 3);
    await command(`purge ${complete} ${more}`);
    await untilKeysAre(before);
    await command(`status ${complete}`, 2);
  });

  it(`a cancelled run ${place} keeps what is done, and is purged without a trace`, async () => {
    const cancelled = await submitAndHold(more);
    await command(`cancel ${cancelled}`);
    fleet.gate.release();
    await until("nothing is at work", async () => (await jobsAtWork(fleet.redis)) === 0);
    expect((await payloadKeys(fleet.redis)).size).toBe(0);
    await command(`results ${cancelled} --output part.jsonl ${more}`, 3);
    const [done, failed] = [
      readRankings(fleet.bench.path("part.jsonl")),
      readFailures(fleet.bench.path("part.failed.jsonl")),
    ];
    expect(done.length).toBeGreaterThan(0);
    expect(done.length + failed.length).toBe(RECORDS + 1);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(["cancelled"]));
    await command(`purge ${cancelled} ${more}`);
    await untilKeysAre(before);
  });

  it(`a run ${place} under way is purged by force alone, without a trace`, async () => {
    const underWay = await submitAndHold(more);
    expect(await command(`purge ${underWay} ${more}`, 2)).toContain("--force");
    // The jobs of a spooled run are found without its runner.
    runner?.signal("SIGKILL");
    await runner?.exited;
    await command(`purge ${underWay} --force ${more}`);
    fleet.gate.release();
    await until("nothing is at work", async () => (await jobsAtWork(fleet.redis)) === 0);
    await untilKeysAre(before);
    const spool = fleet.bench.path("spool");
    expect(existsSync(spool) ? readdirSync(spool) : []).toEqual([]);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });
});
