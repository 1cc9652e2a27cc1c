/** Spooled runs whose files were damaged: each damage costs its record, and no run is tried for ever. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runRunner } from "../../src/app/runner.js";
import { Runs } from "../../src/app/runs/runs.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../src/core/in-flight-bounds.js";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { readFailures, readLines, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";

const RECORDS = 54;
const fleet = useFleet({ shared: "nothing" });
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-damaged-"));
  writeRecords(
    fleet.bench.path("in.jsonl"),
    readLines(SAMPLE).map((line) => JSON.parse(line) as object),
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function flip(path: string, text: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(text, Math.floor(bytes.length / 2));
  expect(at).toBeGreaterThan(0);
  bytes.write("x", at, "latin1");
  writeFileSync(path, bytes);
}

describe("a spooled run", () => {
  it("loses the record whose bytes were flipped, and none to files that no runner wrote", async () => {
    const spool = join(folder, "spool");
    const run = await fleet.submit("in.jsonl", `--spool ${spool}`);
    flip(join(spool, run, "records.jsonl"), 'query"');
    const rankings = join(spool, run, "rankings");
    mkdirSync(join(rankings, "5.jsonl"));
    symlinkSync("nowhere", join(rankings, "6.jsonl"));
    const usage = { pairs: 1, tokens: 1, truncated: 0 };
    const forged = { id: "en-ai-definition", forged: "by whoever can write", results: [], usage };
    writeFileSync(join(rankings, "7.jsonl"), `${JSON.stringify(forged)}\n`);
    await fleet.worker();
    const runner = fleet.bench.start(words(`runner --spool ${spool}`));
    const results = await fleet.ask(
      words(`results ${run} --spool ${spool} --wait --output out.jsonl`),
    );
    expect(results.code, results.stderr + runner.said).toBe(3);
    const lines = readLines(fleet.bench.path("out.jsonl"));
    expect(lines).toHaveLength(RECORDS - 1);
    expect(lines.join("\n")).not.toContain("forged");
    expect(readFailures(fleet.bench.path("out.failed.jsonl"))).toMatchObject([{ code: "damaged" }]);
    for (const name of ["5.jsonl", "6.jsonl", "7.jsonl"]) {
      expect(runner.stdout.split(`rankings/${name} `)).toHaveLength(2);
    }
    expect(runner.stdout).not.toContain("the run stopped");

    // A ranking that is damaged once the run is over is ranked anew if somebody asks for it.
    flip(join(spool, run, "output.jsonl"), '"results"');
    const cut = await fleet.ask(words(`results ${run} --spool ${spool} --output out2.jsonl`));
    expect(cut.code, cut.stderr).toBe(3);
    expect(readFailures(fleet.bench.path("out2.failed.jsonl")).map(({ code }) => code)).toEqual([
      "damaged",
      "damaged",
    ]);
    const retried = await fleet.ask(words(`retry ${run} --spool ${spool}`));
    expect(retried.code, retried.stderr).toBe(0);
    const whole = await fleet.ask(
      words(`results ${run} --spool ${spool} --wait --output out3.jsonl`),
    );
    expect(whole.code, whole.stderr).toBe(3);
    expect(readLines(fleet.bench.path("out3.jsonl")).sort()).toEqual(lines.sort());
  });

  it("is given up after some tries that leave no files behind, says so, and goes on after a retry", async () => {
    const place = join(folder, "spool");
    const run = await fleet.submit("in.jsonl", `--spool ${place}`);
    const records = join(place, run, "records.jsonl");
    const whole = readFileSync(records);
    unlinkSync(records);
    mkdirSync(records);
    const spool = await openSpool(place, {});
    const { store } = new Runs(fleet.redis, () => Promise.resolve(spool));
    const log: { msg: string; pauseMs?: number }[] = [];
    const logger = pino(
      { level: "info" },
      { write: (text: string) => void log.push(JSON.parse(text) as { msg: string }) },
    );
    const healthFile = join(folder, "health");
    const stopping = new AbortController();
    const runner = runRunner(
      {
        redis: fleet.redis,
        store,
        spool,
        limits: DEFAULT_LIMITS,
        inFlight: DEFAULT_IN_FLIGHT_BOUNDS,
        maxRuns: 4,
        retryPauses: { firstMs: 1, longestMs: 10, tries: 3 },
        healthFile,
        logger,
      },
      stopping.signal,
    );
    await until("the run is given up", async () => (await store.find(run))?.state === "failed");
    const stops = log.filter(({ msg }) => msg.startsWith("the run stopped"));
    expect(stops.map(({ pauseMs }) => pauseMs)).toEqual([1, 2, undefined]);
    expect(readdirSync(join(place, run, "rankings"))).toEqual([]);
    const said = await fleet.ask(words(`status ${run}`));
    expect(said.stdout).toContain(`${run} (failed)`);
    expect(said.stdout).toContain(
      `EISDIR: illegal operation on a directory, read; "rankmill retry`,
    );
    await until("the health file says so", () =>
      readFileSync(healthFile, "utf8").includes("was given up"),
    );
    const health = await fleet.ask(words(`health --health-file ${healthFile}`));
    expect(health.stdout + health.stderr).toContain(`degraded: run ${run} was given up: EISDIR`);

    rmSync(records, { recursive: true });
    writeFileSync(records, whole);
    const retried = await fleet.ask(words(`retry ${run} --spool ${place}`));
    expect(retried.stderr).toContain(`${RECORDS} records enqueued again`);
    await fleet.worker();
    const results = await fleet.ask(
      words(`results ${run} --spool ${place} --wait --output out.jsonl`),
    );
    expect(results.code, results.stderr).toBe(0);
    expect(readLines(fleet.bench.path("out.jsonl"))).toHaveLength(RECORDS);
    stopping.abort();
    await runner;
  });
});
