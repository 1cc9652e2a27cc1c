/** The answers of `status`: figures, speed, workers and lanes at work, memory. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { runReportSchema, type RunReport } from "../../src/runs/run-report.js";
import { SAMPLE, words, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { multiply, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";
import { firstUnlessLong, given, longTests } from "../support/needs.js";

const COPIES = 3;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 2 --max-batch-size 1 --no-calibrate";
/** Some records. A status of a run in Redis compares two moments that are seconds apart. */
const MESSAGES_PER_STATUS = 10;
const SCHEMA = fileURLToPath(new URL("../../docs/schema/run-status.v1.json", import.meta.url));
const UNREADABLE = ["not JSON", { id: "no-documents", query: "q" }];

const fleet = useFleet();

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), [...multiply(SAMPLE, COPIES), ...UNREADABLE]);
});

async function statusOf(run: string): Promise<RunReport> {
  const { stdout, stderr } = await fleet.ask(["status", run, "--json"]);
  expect(stderr).toBe("");
  return runReportSchema.parse(JSON.parse(stdout));
}

describe.each(firstUnlessLong(["in a spool", "in Redis"]))("a run %s", (place) => {
  const spool = place === "in a spool" ? "--spool spool" : "";

  /** Undefined if a run needs none. */
  function startRunner(): RunningCli | undefined {
    return spool === ""
      ? undefined
      : fleet.bench.start(words(`runner --in-flight-jobs 50 ${spool}`));
  }

  it(`the status of a run ${place} that nobody works on has no speed and no workers`, async () => {
    const run = await fleet.submit("in.jsonl", spool);
    expect(await statusOf(run)).toMatchObject({
      run,
      total: RECORDS + 2,
      done: 0,
      workers: [],
      lanes: 0,
      owner: null,
      eta_seconds: null,
      spooled: spool !== "",
    });
  });

  it(`the status of a run ${place} under way tells its figures, its speed and its workers`, async () => {
    const run = await fleet.submit("in.jsonl", spool);
    fleet.gate.hold();
    const worker = await fleet.worker(SLOW);
    const runner = startRunner();
    const now = await fleet.gate.stepUntil(
      "the status tells a speed",
      async () => {
        const seen = await statusOf(run);
        expect(seen.state).toBe("submitted");
        return (seen.speed?.pairs_per_second ?? 0) > 0 ? seen : undefined;
      },
      MESSAGES_PER_STATUS,
    );
    expect(now.waiting).toBeGreaterThan(0);
    expect(now.done + now.failed + now.waiting + now.active).toBe(now.total);
    expect(now.speed?.tokens_per_second).toBeGreaterThan(now.speed?.pairs_per_second ?? 0);
    expect(now.eta_seconds).toBeGreaterThan(0);
    expect(now.oldest_waiting_seconds).toBeGreaterThan(0);
    expect(now.workers).toMatchObject([{ pid: worker.pid, lanes: 1 }]);
    expect(now.lanes).toBe(1);
    expect(now.owner?.split(":")[1]).toBe(runner === undefined ? undefined : String(runner.pid));
    // js-redis-server cannot tell.
    expect(now.redis_bytes ?? Infinity).toBeGreaterThan(1_000);
  });

  it(`the status of a run ${place} is watched until the run is over, and then tells no speed`, async () => {
    const run = await fleet.submit("in.jsonl", spool);
    fleet.gate.hold();
    await fleet.worker(SLOW);
    startRunner();
    const watching = fleet.bench.start(["status", run, "--watch"]);
    await fleet.gate.stepUntil(
      "the watcher shows a speed",
      () => /\d+ pairs\/s · \d+ tokens\/s · ETA/.test(watching.stderr),
      1,
    );
    fleet.gate.release();
    const watched = await watching.exited;
    expect(watched.stdout).toMatch(/\(complete\)[^]*failed {3}1 invalid_json, 1 invalid_field/);
    expect(await statusOf(run)).toMatchObject({
      state: "complete",
      done: RECORDS,
      failed: 2,
      failed_by_code: { invalid_json: 1, invalid_field: 1 },
      speed: null,
      eta_seconds: 0,
      oldest_waiting_seconds: null,
    });
    const listed = await fleet.ask(["status", "--json"]);
    expect(runReportSchema.array().parse(JSON.parse(listed.stdout))).toHaveLength(1);
  });
});

describe("workers", () => {
  it(
    "a worker leaves nothing behind that says it is here, stopped or killed",
    given(longTests),
    async () => {
      const [stopped, killed] = [
        await fleet.worker("--lanes 1 --no-calibrate"),
        await fleet.worker("--lanes 1 --no-calibrate"),
      ];
      writeRecords(fleet.bench.path("one.jsonl"), [{ id: "a", query: "q", documents: ["q"] }]);
      const run = await fleet.submit("one.jsonl");
      const workers = async (): Promise<number[]> =>
        (await statusOf(run)).workers.map(({ pid }) => pid);
      await until("both are listed", async () => (await workers()).length === 2);
      stopped.signal("SIGTERM");
      expect((await stopped.exited).code).toBe(0);
      const others = await workers();
      expect(others).not.toContain(stopped.pid);
      killed.signal("SIGKILL");
      await killed.exited;
      await until("the killed one is forgotten", async () => (await workers()).length === 0);
      await until("no key names a worker", async () => {
        return (await fleet.redis.keys("rankmill:*:worker*")).length === 0;
      });
    },
  );
});

describe("the published schema of a status", () => {
  it("the command `schema status` prints the published schema", async () => {
    const { stdout } = await fleet.ask(["schema", "status"]);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(SCHEMA, "utf8")));
  });
});
