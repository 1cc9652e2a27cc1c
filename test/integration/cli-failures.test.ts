/** The failures of a run: listed, written out, mended, tried again. */
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { beforeEach, describe, expect, it } from "vitest";
import { BUILTIN, rerank, words } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { ownerKeys } from "../support/queue-view.js";
import { readLines, readRankings, writeRecords } from "../support/records.js";
import { firstUnlessLong } from "../support/needs.js";

const SMALL = { id: "small", query: "q", documents: ["q"] };
const WIDE = { id: "wide", query: "q", documents: Array.from({ length: 9 }, () => "q d") };
const BAD = { id: "no-documents", query: "q" };
const NO_JSON = '{"id": "torn';

const fleet = useFleet();

beforeEach(() => {
  writeRecords(fleet.bench.path("in.jsonl"), [SMALL, WIDE, BAD, NO_JSON]);
});

async function failuresOf(run: string, more: string): Promise<unknown[]> {
  const listed = await fleet.ask(["failures", run, "--json", ...words(more)]);
  expect(listed.code, listed.stderr).toBe(0);
  const lines = listed.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as unknown);
}

describe.each(firstUnlessLong(["in Redis", "in a spool"]))("the failures of a run %s", (place) => {
  const more = place === "in a spool" ? "--spool spool" : "";

  it(`a failure of a run ${place} is listed, written out as input, and joins the output once tried again`, async () => {
    const run = await fleet.submit("in.jsonl", more);
    if (more !== "") fleet.bench.start(words(`runner ${more}`));
    // A worker with narrower limits than the producer's refuses the wide job for good.
    const narrow = await fleet.worker("--max-documents 5");
    const first = await fleet.ask(words(`results ${run} --wait --output out.jsonl ${more}`));
    expect(first.code, first.stderr).toBe(3);
    const listed = await failuresOf(run, more);
    expect(listed).toHaveLength(3);
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ line: 2, id: "wide", code: "limit_exceeded", input: WIDE }),
        expect.objectContaining({ line: 3, id: "no-documents", code: "invalid_field", input: BAD }),
        expect.objectContaining({ line: 4, code: "invalid_json", input: NO_JSON }),
      ]),
    );
    const people = await fleet.run(words(`failures ${run} ${more}`));
    expect(people.stdout).toContain("line 3 no-documents · invalid_field · ");
    expect(people.stderr).toContain("3 records failed, 0 documents");

    const exported = await fleet.run(words(`failures ${run} --export failed.jsonl ${more}`));
    expect(exported).toMatchObject({ code: 0, stdout: "" });
    expect(new Set(readLines(fleet.bench.path("failed.jsonl")))).toEqual(
      new Set([JSON.stringify(WIDE), JSON.stringify(BAD), NO_JSON]),
    );
    const piped = await fleet.ask(words(`failures ${run} --export - ${more}`));
    expect(piped.stdout.split("\n").filter((line) => line !== "")).toEqual(
      readLines(fleet.bench.path("failed.jsonl")),
    );

    narrow.signal("SIGTERM");
    await narrow.exited;
    await fleet.worker();
    const retried = await fleet.ask(words(`retry ${run} ${more}`));
    expect(retried.code, retried.stderr).toBe(0);
    const second = await fleet.ask(words(`results ${run} --wait --output out.jsonl ${more}`));
    expect(second.code, second.stderr).toBe(3);
    const ids = readRankings(fleet.bench.path("out.jsonl")).map(({ id }) => id);
    expect(ids.sort()).toEqual(["small", "wide"]);
    expect(await failuresOf(run, more)).toHaveLength(2);

    // The exported records are input again, once they are mended.
    writeRecords(fleet.bench.path("mended.jsonl"), [{ ...BAD, documents: ["q"] }]);
    const mended = await fleet.submit("mended.jsonl", more);
    const third = await fleet.ask(words(`results ${mended} --wait --output m.jsonl ${more}`));
    expect(third.code, third.stderr).toBe(0);
    expect(await failuresOf(mended, more)).toEqual([]);
  });
});

describe("documents that could not be scored", () => {
  it("documents that could not be scored are listed, though their record is ranked", async () => {
    writeRecords(fleet.bench.path("one.jsonl"), [SMALL]);
    const run = await fleet.submit("one.jsonl", "");
    const [[jobId = "", key = ""] = []] = await ownerKeys(fleet.redis);
    const tag = /\{(.+)\}/.exec(key)?.[1] ?? "";
    const results = new RedisResultStore(fleet.redis, tag);
    const started = await results.begin(jobId);
    const errors = [{ index: 0, code: "not_a_number", message: "the model gave no number" }];
    const usage = { pairs: 0, tokens: 0, truncated: 0 };
    const line = JSON.stringify({ id: "small", model: BUILTIN, results: [], errors, usage });
    const fence = started.status === "begun" ? started.fence : 0;
    await results.commit(jobId, fence, { status: "done", line }, 60);
    expect(await failuresOf(run, "")).toEqual([
      {
        id: "small",
        document: { index: 0 },
        code: "not_a_number",
        reason: "the model gave no number",
      },
    ]);
    const people = await fleet.ask(["failures", run]);
    expect(people.stdout).toContain("document 0 of small · not_a_number");
    const status = await fleet.ask(["status", run, "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({ done: 1, failed: 0, failed_pairs: 1 });
  });
});

describe("the failures of the run command", () => {
  it("the failures of the run command are found beside its output", async () => {
    const done = await fleet.ask(rerank("in.jsonl", "out.jsonl"));
    expect(done.code).toBe(3);
    expect(done.stderr).toMatch(/out\.failed\.jsonl \("rankmill failures out\.jsonl" lists them\)/);
    for (const file of ["out.jsonl", "out.failed.jsonl"]) {
      expect(await failuresOf(file, "")).toMatchObject([{ line: 3 }, { line: 4 }]);
    }
    const refused = await fleet.ask(["failures", "out.jsonl", "--export", "no/where.jsonl"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--export no/where.jsonl: cannot be written (ENOENT)");
    const folder = await fleet.ask(["failures", "out.jsonl", "--export", "."]);
    expect(folder).toMatchObject({ code: 2 });
    const none = await fleet.ask(["failures", "no-such-run"]);
    expect(none.code).toBe(2);
  });
});
