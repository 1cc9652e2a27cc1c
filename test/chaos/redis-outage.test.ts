/** Redis killed, restarted and emptied while runs are under way. */
import { beforeEach, describe, expect, it } from "vitest";
import { rerank, type RunningCli, SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { resultKeys } from "../support/queue-view.js";
import {
  countLines,
  multiply,
  readLines,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { given, longTests, realRedis } from "../support/needs.js";

const COPIES = 3;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 3 --max-batch-size 1 --no-calibrate";

const fleet = useFleet({ shared: "nothing" });

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

function idsOf(output: string): string[] {
  const ids = readRankings(fleet.bench.path(output)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  return ids.sort();
}

/** A run in the foreground that stands still when some of its rankings are on disk. */
async function startAndHold(): Promise<RunningCli> {
  fleet.gate.hold();
  const run = fleet.bench.start(rerank("in.jsonl", "out.jsonl", `${SLOW} --in-flight-jobs 30`));
  await fleet.gate.stepUntil("some rankings are on disk", () => {
    return countLines(fleet.bench.path("out.jsonl.partial")) >= 5;
  });
  return run;
}

const INPUT_IDS = multiply(SAMPLE, COPIES)
  .map(({ id }) => String(id))
  .sort();

// At random moments the harness does the same in every run of the tests.
describe("a Redis that is killed and comes back with its data", given(realRedis, longTests), () => {
  it("a Redis that comes back with its data delays a submitted run, and every record is ranked once", async () => {
    const run = await fleet.submit("in.jsonl");
    fleet.gate.hold();
    const worker = await fleet.worker(SLOW);
    await fleet.gate.stepUntil("some are scored", async () => {
      return (await resultKeys(fleet.redis)).size >= 5;
    });
    await fleet.server.kill();
    await worker.says("ECONNREFUSED");
    await fleet.server.startAgain();
    expect((await resultKeys(fleet.redis)).size).toBeLessThan(RECORDS);
    fleet.gate.release();
    const results = await fleet.bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
    expect(results.code).toBe(0);
    expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
    worker.signal("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
  });

  it("a Redis that comes back with its data delays a run in the foreground, and every record is ranked once", async () => {
    const run = await startAndHold();
    const partial = fleet.bench.path("out.jsonl.partial");
    await fleet.server.kill();
    await run.says("ECONNREFUSED");
    const kept = readLines(partial);
    expect(kept.length).toBeLessThan(RECORDS);
    await fleet.server.startAgain();
    fleet.gate.release();
    expect(await run.exited).toMatchObject({ code: 0 });
    expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
    expect(readLines(fleet.bench.path("out.jsonl")).slice(0, kept.length)).toEqual(kept);
  });
});

describe("a Redis that loses everything", () => {
  it(
    "a Redis that loses everything does not stop a run in the foreground, which enqueues its jobs again",
    given(longTests),
    async () => {
      const run = await startAndHold();
      await fleet.redis.flushall();
      fleet.gate.release();
      expect(await run.exited).toMatchObject({ code: 0 });
      expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
      expect((await fleet.bench.run(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
      expect(sortedLines(fleet.bench.path("out.jsonl"))).toEqual(
        sortedLines(fleet.bench.path("undisturbed.jsonl")),
      );
    },
  );

  it("a Redis that loses everything does not keep a worker from the jobs that come afterwards", async () => {
    const worker = await fleet.worker();
    await fleet.redis.flushall();
    await fleet.redis.script("FLUSH");
    const run = await fleet.submit("in.jsonl");
    const exit = await fleet.bench.run(["results", run, "--output", "out.jsonl", "--wait"]);
    expect(exit.code).toBe(0);
    expect(idsOf("out.jsonl")).toEqual(INPUT_IDS);
    worker.signal("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
  });
});
