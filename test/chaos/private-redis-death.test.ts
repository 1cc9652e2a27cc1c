/** The private Redis of a run dies under it: the command ends with a reason, and goes on afterwards. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, rerank, SAMPLE } from "../support/cli.js";
import { countLines, multiply, sortedLines, writeRecords } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const COPIES = 6;
const SLOW = "--lanes 1 --concurrency 2 --in-flight-jobs 8 --max-batch-size 1";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open({});
  writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

afterEach(async () => {
  await bench.close();
});

describe.skipIf(!hasRealRedis)("a private Redis that is killed", () => {
  it("ends the run with exit 5 and the reason, and the same command goes on", async () => {
    const run = bench.start(rerank("in.jsonl", "out.jsonl", SLOW));
    await until("some are ranked", () => countLines(bench.path("out.jsonl.partial")) > 5);
    const folder = /append-only file in (\S+)/.exec(run.stderr)?.[1] ?? "unknown";
    execFileSync("pkill", ["-9", "-f", `redis-server unixsocket:${folder}`]);
    const exit = await run.exited;
    expect(exit.stderr).toContain("the private Redis ended");
    expect(exit.stderr).toContain("run again to go on");
    expect(exit.code).toBe(5);
    expect(countLines(bench.path("out.jsonl.partial"))).toBeLessThan(54 * COPIES);
    const again = await bench.run(rerank("in.jsonl", "out.jsonl"));
    expect(again.stderr).toContain("are ranked already");
    expect(again.code).toBe(0);
    expect(new Set(sortedLines(bench.path("out.jsonl"))).size).toBe(54 * COPIES);
  });
});
