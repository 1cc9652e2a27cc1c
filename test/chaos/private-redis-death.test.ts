/** The private Redis of a run dies under it: the command ends with a reason, and goes on afterwards. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, rerank, SAMPLE } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { countLines, multiply, sortedLines, writeRecords } from "../support/records.js";
import { processes } from "../support/processes.js";
import { given, realRedis } from "../support/needs.js";

const COPIES = 2;
const SLOW = "--lanes 1 --concurrency 2 --in-flight-jobs 8 --max-batch-size 1 --no-calibrate";

let bench: Bench;
let gate: Gate;

beforeEach(async () => {
  gate = await Gate.open();
  bench = await Bench.open(gate.env);
  writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

afterEach(async () => {
  try {
    await bench.close();
  } finally {
    await gate.close();
  }
});

describe("a private Redis that is killed", given(realRedis), () => {
  it("a private Redis that is killed ends the run with exit 5 and the reason, and the same command goes on", async () => {
    gate.hold();
    const run = bench.start(rerank("in.jsonl", "out.jsonl", SLOW));
    await gate.stepUntil("some are ranked", () => {
      return countLines(bench.path("out.jsonl.partial")) > 5;
    });
    const folder = /for this command, in (\S+)/.exec(run.stderr)?.[1] ?? "unknown";
    const server = processes().find(({ command }) => {
      return command.includes(`redis-server unixsocket:${folder}`);
    });
    if (server === undefined) throw new Error(`no redis-server in ${folder}\n${run.said}`);
    process.kill(server.pid, "SIGKILL");
    const exit = await run.exited;
    expect(exit.stderr).toContain("the private Redis ended");
    expect(exit.stderr).toContain("run again to go on");
    expect(exit.code).toBe(5);
    expect(countLines(bench.path("out.jsonl.partial"))).toBeLessThan(54 * COPIES);
    gate.release();
    const again = await bench.run(rerank("in.jsonl", "out.jsonl"));
    expect(again.stderr).toContain("are ranked already");
    expect(again.code).toBe(0);
    expect(new Set(sortedLines(bench.path("out.jsonl"))).size).toBe(54 * COPIES);
  });
});
