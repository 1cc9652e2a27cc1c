/** `rankmill run` interrupted, killed, and called again, with a Redis of its own that is then gone. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BERT, type CliExit, rerank, type RunningCli, SAMPLE } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { given, longTests, mounts } from "../support/needs.js";
import {
  countLines,
  multiply,
  readLines,
  readManifest,
  sortedLines,
  writeRecords,
  readRankings,
} from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";

const COPIES = 1;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 2 --in-flight-jobs 8 --max-batch-size 1 --no-calibrate";

let gate: Gate;
let bench: Bench;

beforeEach(async () => {
  gate = await Gate.open();
  bench = await Bench.open(hasRealRedis ? gate.env : { ...gate.env, PATH: "" });
});

afterEach(async () => {
  try {
    await bench.close();
  } finally {
    await gate.close();
  }
});

function again(more: string, model?: string): string[] {
  return rerank("in.jsonl", "out.jsonl", more, model);
}

/** Starts a run that stands still when at least `rankings` of it are on disk. */
async function startAndHold(output: string, rankings = 5): Promise<RunningCli> {
  gate.hold();
  const run = bench.start(rerank("in.jsonl", output, SLOW));
  await gate.stepUntil(`${rankings} rankings are on disk`, () => {
    if (!run.running) throw new Error(`the run ended too early\n${run.said}`);
    return countLines(bench.path(`${output}.partial`)) >= rankings;
  });
  return run;
}

/** Interrupts a run that is held; it finishes what its lane has in hand. */
async function interrupt(run: RunningCli): Promise<CliExit> {
  run.signal("SIGINT");
  await run.says("stopping");
  gate.release();
  return await run.exited;
}

describe("a run that did not come to its end", () => {
  it("a run goes on from its own output after Ctrl-C, after kill -9, with a torn line", async () => {
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
    const exit = await interrupt(await startAndHold("out.jsonl"));
    expect(exit).toMatchObject({ code: 130, signal: null });
    expect(exit.stderr).toContain("run again to go on");
    await bench.untilNothingIsLeft();
    const [partial, output] = [bench.path("out.jsonl.partial"), bench.path("out.jsonl")];
    expect(existsSync(output)).toBe(false);
    const kept = readLines(partial);
    expect(kept.length).toBeGreaterThanOrEqual(5);
    expect(kept.length).toBeLessThan(RECORDS);
    const manifest = readManifest(bench.path("out.manifest.json"));
    expect(manifest).toMatchObject({ state: "interrupted", counts: { done: kept.length } });

    // A crash of the machine may leave half a line.
    appendFileSync(partial, kept[0]?.slice(0, 77) ?? "");
    const killed = await startAndHold("out.jsonl", kept.length + 5);
    expect(killed.stderr).toContain(`${kept.length} records are ranked already`);
    killed.signal("SIGKILL");
    expect((await killed.exited).signal).toBe("SIGKILL");
    // Lanes, guardian and private Redis all see that their parent is gone.
    await bench.untilNothingIsLeft();
    const keptThen = countLines(partial);
    expect(keptThen).toBeLessThan(RECORDS);

    gate.release();
    const finished = await bench.run(rerank("in.jsonl", "out.jsonl"));
    expect(finished.code).toBe(0);
    expect(finished.stderr).toContain(`${keptThen} records are ranked already`);
    expect(existsSync(partial)).toBe(false);
    expect(readLines(output).slice(0, kept.length)).toEqual(kept);
    expect(readManifest(bench.path("out.manifest.json"))).toMatchObject({
      state: "complete",
      startedAt: manifest.startedAt,
      resumedAt: expect.any(String),
      counts: { done: RECORDS, failed: 0 },
    });
    expect((await bench.ask(rerank("in.jsonl", "undisturbed.jsonl"))).code).toBe(0);
    expect(sortedLines(output)).toEqual(sortedLines(bench.path("undisturbed.jsonl")));
  });

  it("a run ends at once at the second signal, and leaves no process", async () => {
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
    const run = await startAndHold("out.jsonl");
    run.signal("SIGTERM");
    await run.says("stopping");
    run.signal("SIGTERM");
    expect(await run.exited).toMatchObject({ code: 143, signal: null });
    await bench.untilNothingIsLeft();
    expect(existsSync(bench.path("out.jsonl"))).toBe(false);
  });
});

describe("two runs that write the same output", () => {
  it("two runs never write the same output at the same time", async () => {
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
    const first = await startAndHold("out.jsonl");
    const second = await bench.run(rerank("in.jsonl", "out.jsonl"));
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`process ${first.pid}`);
    expect(await interrupt(first)).toMatchObject({ code: 130 });
    expect(existsSync(bench.path("out.jsonl.lock"))).toBe(false);
    const third = await bench.ask(rerank("in.jsonl", "out.jsonl"));
    expect(third.code).toBe(0);
    expect(countLines(bench.path("out.jsonl"))).toBe(RECORDS);
  });
});

describe("a run whose input has changed since", () => {
  it("a run whose input has changed ranks what is new or another, and says so", async () => {
    const records = [{ id: "a", query: "q", documents: ["q", "r"] }];
    writeRecords(bench.path("in.jsonl"), records);
    expect((await bench.ask(rerank("in.jsonl", "out.jsonl"))).code).toBe(0);
    const same = await bench.ask(rerank("in.jsonl", "out.jsonl"));
    expect(same.stderr).not.toContain("changed");
    const changed = [
      { id: "a", query: "q", documents: ["q", "r", "s"] },
      { id: "b", query: "q", documents: ["r"] },
    ];
    writeRecords(bench.path("in.jsonl"), changed);
    const grown = await bench.ask(rerank("in.jsonl", "out.jsonl"));
    expect(grown.code).toBe(0);
    expect(grown.stderr).toContain("1 record is ranked anew: changed since the last ranking");
    const rankings = readRankings(bench.path("out.jsonl"));
    const counts = new Map(rankings.map(({ id, results }) => [id, results.length]));
    expect(rankings).toHaveLength(2);
    expect(counts).toEqual(new Map(Object.entries({ a: 3, b: 1 })));
    writeRecords(bench.path("in.jsonl"), [changed[1]]);
    const shrunk = await bench.ask(rerank("in.jsonl", "out.jsonl"));
    expect(shrunk.stderr).toContain("of records that the input no longer has");
  });
});

describe("a run under other settings than those it was begun with", () => {
  it(
    "a run under other settings is refused by the name of the setting, unless it starts over",
    given(longTests),
    async () => {
      writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
      expect((await bench.ask(again(""))).code).toBe(0);
      const before = readFileSync(bench.path("out.jsonl"), "utf8");
      const [others, model] = await Promise.all([
        bench.run(again("--max-length 64 --top-n 1 --truncation longest-first")),
        bench.run(again("", BERT)),
      ]);
      expect([others.code, model.code]).toEqual([2, 2]);
      expect(others.stderr).toMatch(/maxLength was 512, is 64/);
      expect(others.stderr).toMatch(/topN was null, is 1/);
      expect(others.stderr).toMatch(/truncation was only-second, is longest-first/);
      expect(others.stderr).toContain("--force-new");
      expect(model.stderr).toMatch(/model\.name was builtin-bm25, is /);
      expect(readFileSync(bench.path("out.jsonl"), "utf8")).toBe(before);
      expect((await bench.ask(again("--max-length 64 --force-new"))).code).toBe(0);
      expect(readManifest(bench.path("out.manifest.json")).settings.maxLength).toBe(64);
    },
  );
});

describe("a place that cannot be written", () => {
  it("an output that cannot be written is an error of the arguments", async () => {
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
    mkdirSync(bench.path("folder"));
    writeRecords(bench.path("stranger.jsonl"), ["not ours"]);
    writeRecords(bench.path("locked.jsonl"), []);
    chmodSync(bench.path("locked.jsonl"), 0o444);
    const cases: [string, RegExp][] = [
      ["folder", /folder is not a file/],
      ["missing/out.jsonl", /missing does not exist$/m],
      ["stranger.jsonl", /no stranger\.manifest\.json beside it/],
      // The superuser may write anything: then it is a file without a manifest.
      ["locked.jsonl", process.getuid?.() === 0 ? /no locked\.manifest\.json/ : /is read-only/],
    ];
    const exits = await Promise.all(cases.map(([output]) => bench.ask(rerank("in.jsonl", output))));
    expect(exits.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    for (const [i, [, reason]] of cases.entries()) expect(exits[i]?.stderr).toMatch(reason);
    expect(readFileSync(bench.path("stranger.jsonl"), "utf8")).toBe("not ours\n");
    expect(existsSync(bench.path("stranger.jsonl.partial"))).toBe(false);
  });

  it("an output on a full disk is refused before any work", given(mounts), async () => {
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
    mkdirSync(bench.path("full"));
    const size = "size=64k";
    execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", bench.path("full")]);
    try {
      writeRecords(bench.path("full/filler"), ["x".repeat(40_000)]);
      const exit = await bench.ask(rerank("in.jsonl", "full/out.jsonl"));
      expect(exit.code).toBe(2);
      expect(exit.stderr).toMatch(/full\/out\.jsonl: the file system of .* is full/);
      expect(readdirSync(bench.path("full"))).toEqual(["filler"]);
    } finally {
      execFileSync("umount", [bench.path("full")]);
    }
  });
});
