/** Spooled runs: a runner owns them, another takes over, and Redis holds their window alone. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ownerKeys, resultKeys } from "../support/queue-view.js";
import { rerank, SAMPLE, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { multiply, readFailures, sortedLines, writeRecords } from "../support/records.js";
import { TestS3 } from "../support/s3-server.js";
import { firstUnlessLong } from "../support/needs.js";

const COPIES = 2;
const RECORDS = 54 * COPIES;
const SLOW = "--lanes 1 --concurrency 3 --max-batch-size 1 --no-calibrate";

let s3: TestS3;
let runs = 0;
/** The place of the runs of the test. */
let spool: string;

beforeAll(async () => {
  s3 = await TestS3.start();
});

afterAll(async () => {
  await s3.close();
});

const fleet = useFleet({ shared: "nothing", env: () => ({ RANKMILL_SPOOL: "", ...s3.env }) });

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
});

function spooled(line: string): string[] {
  return [...words(line), "--spool", spool];
}

const submit = (input = "in.jsonl"): Promise<string> => fleet.submit(input, `--spool ${spool}`);

interface Figures {
  readonly done: number;
  readonly failed: number;
  readonly state: string;
}

async function status(run: string): Promise<Figures> {
  const { stdout } = await fleet.ask(["status", run, "--json"]);
  return JSON.parse(stdout) as Figures;
}

describe.each(firstUnlessLong(["bucket", "folder"]))("a run spooled in a %s", (kind) => {
  beforeEach(() => {
    runs += 1;
    spool = kind === "folder" ? fleet.bench.path("spool") : s3.place(`runs-${runs}`);
  });

  it("is ranked as the run command ranks it, by the second runner if the first is killed", async () => {
    fleet.gate.hold();
    await fleet.worker(SLOW);
    const run = await submit();
    const first = fleet.bench.start(spooled("runner"));
    await fleet.gate.stepUntil("some are ranked", async () => (await status(run)).done > 0, 4);
    first.signal("SIGKILL");
    await first.exited;
    const before = await status(run);
    expect(before.done).toBeLessThan(RECORDS);
    const second = fleet.bench.start(spooled("runner"));
    await second.says("owner of the run");
    fleet.gate.release();
    const results = await fleet.run(spooled(`results ${run} --wait --output out.jsonl`));
    expect(results.code, results.stderr).toBe(0);
    await fleet.ask(rerank("in.jsonl", "plain.jsonl"));
    expect(sortedLines(fleet.bench.path("out.jsonl"))).toEqual(
      sortedLines(fleet.bench.path("plain.jsonl")),
    );
    expect([...(await resultKeys(fleet.redis)).keys()]).toEqual([]);
    expect([...(await ownerKeys(fleet.redis)).keys()]).toEqual([]);
  });

  it("lists what failed, tries it again, and goes on after a cancellation", async () => {
    const records = multiply(SAMPLE, COPIES);
    writeRecords(fleet.bench.path("bad.jsonl"), [...records, { id: "no-documents", query: "q" }]);
    const run = await submit("bad.jsonl");
    const cancelled = await fleet.ask(spooled(`cancel ${run}`));
    expect(cancelled.stderr).toContain(`${RECORDS + 1} records stopped`);
    fleet.bench.start(spooled("runner"));
    await fleet.worker();
    const retried = await fleet.ask(spooled(`retry ${run}`));
    expect(retried.stderr).toContain(`${RECORDS + 1} records enqueued again`);
    const results = await fleet.ask(spooled(`results ${run} --wait --output out.jsonl`));
    expect(results.code, results.stderr).toBe(3);
    expect(sortedLines(fleet.bench.path("out.jsonl"))).toHaveLength(RECORDS);
    const [failure] = readFailures(fleet.bench.path("out.failed.jsonl"));
    expect(failure).toMatchObject({
      line: RECORDS + 1,
      id: "no-documents",
      code: "invalid_field",
    });
    expect((await status(run)).state).toBe("complete");
    // Submitting it again finds it over.
    expect(await submit("bad.jsonl")).toBe(run);
    expect((await status(run)).state).toBe("complete");
  });

  it("never leads out of the spool, whatever its id is", async () => {
    const { code, stderr } = await fleet.ask(
      spooled(`submit --model builtin-bm25 --input in.jsonl --run ../../escape`),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('run id "../../escape"');
    expect(existsSync(fleet.bench.path("../escape"))).toBe(false);
  });
});
