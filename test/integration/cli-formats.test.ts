/** The forms that `rankmill run` and `submit` read and write beside one job per line. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WireRanking } from "../../src/core/contract.js";
import { flagEmbedding } from "../../src/inputs/formats/flagembedding.js";
import { Gate } from "../support/gate.js";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import {
  countLines,
  multiply,
  readFailures,
  readLines,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { given, longTests } from "../support/needs.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
});

afterEach(async () => {
  await bench.close();
});

const JOB = { id: "job", query: "ripe apples", documents: ["cars", "ripe apples"] };
const BATCH = {
  custom_id: "batch",
  method: "POST",
  url: "/v1/rerank",
  body: { model: "some-other-model", query: "ripe apples", documents: ["ripe apples", "cars"] },
};
const PAIR = { id: "pair", query: "ripe apples", document: "ripe apples" };
const FLAG = {
  query: "ripe apples",
  pos: ["ripe apples"],
  neg: ["cars", "ripe pears"],
  prompt: "kept",
};

function byId(rankings: readonly WireRanking[]): Map<string, WireRanking> {
  return new Map(rankings.map((ranking) => [ranking.id, ranking]));
}

describe("lines of every shape", () => {
  it("are told apart by their fields, in one file", async () => {
    writeRecords(bench.path("in.jsonl"), [JOB, BATCH, PAIR, FLAG]);
    const exit = await bench.run(rerank("in.jsonl", "out.jsonl"));
    expect(exit.code).toBe(0);
    expect(exit.stderr).toContain(`line 2 asks for model "some-other-model": scored with`);
    const rankings = readRankings(bench.path("out.jsonl"));
    const found = byId(rankings);
    expect(rankings).toHaveLength(4);
    expect(found.get("job")?.results.map(({ index }) => index)).toEqual([1, 0]);
    expect(found.get("batch")?.results.map(({ index }) => index)).toEqual([0, 1]);
    expect(found.get("pair")?.results).toHaveLength(1);
    // One text, one pair: the shape that it came in does not show in the score.
    const logit = found.get("pair")?.results[0]?.logit;
    expect(found.get("job")?.results[0]?.logit).toBe(logit);
    const flag = rankings.find(({ id }) => !["job", "batch", "pair"].includes(id));
    expect(flag?.results.map(({ index }) => index)).toEqual([0, 2, 1]);
    expect(flag?.results[0]?.logit).toBe(logit);
  });

  it("are refused if another shape is forced", given(longTests), async () => {
    writeRecords(bench.path("in.jsonl"), [JOB, BATCH, PAIR, FLAG]);
    for (const [format, good] of [
      ["job", "job"],
      ["openai-batch", "batch"],
      ["pair", "pair"],
    ] as const) {
      const output = `${format}.jsonl`;
      const exit = await bench.ask(rerank("in.jsonl", output, `--input-format ${format}`));
      expect(exit.code).toBe(3);
      expect(readRankings(bench.path(output)).map(({ id }) => id)).toEqual([good]);
      const failures = readFailures(bench.path(`${format}.failed.jsonl`));
      expect(failures).toHaveLength(3);
      // The records are as they were given, so that they can be put in again.
      expect(failures.map(({ input }) => input)).toContainEqual(FLAG);
    }
  });
});

describe("FlagEmbedding's lines", () => {
  it("come back in their order with the scores of both lists", async () => {
    const second = { id: "named", query: "ripe apples", pos: [], neg: ["ripe apples"] };
    writeRecords(bench.path("in.jsonl"), [FLAG, second, { query: "q", pos: 7 }, JOB, FLAG]);
    const args = rerank("in.jsonl", "scored.jsonl", "--output-format flagembedding");
    const exit = await bench.ask(args);
    expect(exit.code).toBe(3);
    const rankings = readRankings(bench.path("scored.jsonl.rankings.jsonl"));
    const named = byId(rankings).get("named");
    const other = rankings.find(({ id }) => id !== "named");
    expect(rankings).toHaveLength(2);
    const lines = readLines(bench.path("scored.jsonl")).map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      flagEmbedding.writeBack(FLAG, other?.results ?? []),
      flagEmbedding.writeBack(second, named?.results ?? []),
    ]);
    expect(lines[0]).toMatchObject({
      prompt: "kept",
      pos: FLAG.pos,
      pos_scores: [expect.any(Number)],
    });
    expect(readFailures(bench.path("scored.failed.jsonl"))).toMatchObject([
      { line: 3, code: "invalid_field", reason: expect.stringContaining("pos") },
      { line: 4, code: "invalid_field", reason: expect.stringContaining("pos and neg") },
      { line: 5, code: "duplicate_id" },
    ]);
    expect(readdirSync(bench.folder).filter((name) => /tmp|index|partial/.test(name))).toEqual([]);
  });

  it("need a file as input and as output, and a score for every document", async () => {
    writeRecords(bench.path("in.jsonl"), [FLAG]);
    for (const args of [
      rerank("-", "out.jsonl", "--output-format flagembedding"),
      rerank("in.jsonl", "-", "--output-format flagembedding"),
      rerank("in.jsonl", "out.jsonl", "--output-format flagembedding --top-n 1"),
      rerank("in.jsonl", "out.jsonl", "--output-format flagembedding --input-format pair"),
    ]) {
      const exit = await bench.ask(args);
      expect(exit.code).toBe(2);
      expect(exit.stderr).toContain("--output-format flagembedding");
    }
    // The cache folder is the test's, too.
    expect(readdirSync(bench.folder).filter((name) => name !== ".cache")).toEqual(["in.jsonl"]);
  });
});

describe("a TREC run as output", () => {
  const TREC = "--output-format trec --tag mine";

  it("has ranks from 1 and the logit at full precision, in the order of the ranking", async () => {
    expect((await bench.ask(rerank(SAMPLE, "out.trec", TREC))).code).toBe(0);
    const rankings = readRankings(bench.path("out.trec.rankings.jsonl"));
    const expected = rankings.flatMap(({ id, results }) =>
      results.map((result, place) => [id, "Q0", result.id, String(place + 1), result.logit]),
    );
    const lines = readLines(bench.path("out.trec")).map((line) => line.split(" "));
    expect(lines.map((line) => line.slice(0, 4))).toEqual(expected.map((row) => row.slice(0, 4)));
    expect(new Set(lines.map((line) => line[5]))).toEqual(new Set(["mine"]));
    let before = Infinity;
    for (const [i, line] of lines.entries()) {
      const score = Number(line[4]);
      if (line[3] === "1") before = Infinity;
      // Equal logits are set apart, by the least that an evaluator sees.
      expect(Math.fround(score)).toBeLessThan(before);
      expect(score).toBeCloseTo(Number(expected[i]?.[4]), 4);
      before = Math.fround(score);
    }
    const exact = lines.filter((line, i) => Number(line[4]) === expected[i]?.[4]);
    expect(exact.length).toBeGreaterThan(lines.length / 2);
  });

  it("refuses records whose documents it could not name, before they are scored", async () => {
    const named = { ...JOB, id: "ok", documents: [{ id: "d", text: "ripe apples" }] };
    const blank = { ...named, id: "blank", documents: [{ id: "two words", text: "x" }] };
    const twice = { ...named, id: "twice", documents: [named.documents[0], named.documents[0]] };
    writeRecords(bench.path("in.jsonl"), [JOB, named, blank, twice]);
    expect((await bench.ask(rerank("in.jsonl", "out.trec", TREC))).code).toBe(3);
    expect(readLines(bench.path("out.trec"))).toEqual([
      expect.stringMatching(/^ok Q0 d 1 \S+ mine$/),
    ]);
    expect(readFailures(bench.path("out.trec.failed.jsonl"))).toMatchObject([
      { line: 1, id: "job", code: "invalid_field", reason: expect.stringContaining("[0].id") },
      { line: 3, id: "blank", code: "invalid_field" },
      { line: 4, id: "twice", code: "duplicate_id" },
    ]);
  });

  it("goes to standard output as it comes", async () => {
    const record = {
      ...JOB,
      documents: [
        { id: "a", text: "cars" },
        { id: "b", text: "ripe apples" },
      ],
    };
    const empty = { id: "empty", query: "q", documents: [] };
    const exit = await bench.run(rerank("-", "-", "--output-format trec"), {
      input: `${JSON.stringify(record)}\n${JSON.stringify(empty)}\n`,
    });
    expect(exit.code).toBe(0);
    expect(exit.stdout).toMatch(/^job Q0 b 1 \S+ rankmill\njob Q0 a 2 \S+ rankmill\n$/);
  });

  it(
    "is the same after a kill in the middle, and takes a new tag without scoring again",
    given(longTests),
    async () => {
      writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, 1));
      expect((await bench.ask(rerank("in.jsonl", "calm.trec", TREC))).code).toBe(0);
      const partial = bench.path("out.trec.partial");
      const gate = await Gate.open();
      gate.hold();
      const options = `${TREC} --in-flight-jobs 20 --lanes 1 --no-calibrate`;
      const killed = bench.start(rerank("in.jsonl", "out.trec", options), { env: gate.env });
      await gate.stepUntil("some are ranked", () => countLines(partial) >= 5);
      killed.signal("SIGKILL");
      await killed.exited;
      await gate.close();
      expect(existsSync(bench.path("out.trec"))).toBe(false);
      expect(JSON.parse(readLines(partial)[0] ?? "")).toHaveProperty("results");

      const resumed = await bench.run(rerank("in.jsonl", "out.trec", TREC));
      expect(resumed.code).toBe(0);
      expect(resumed.stderr).toContain("are ranked already");
      expect(sortedLines(bench.path("out.trec"))).toEqual(sortedLines(bench.path("calm.trec")));

      const again = await bench.ask(
        rerank("in.jsonl", "out.trec", "--output-format trec --tag other"),
      );
      expect(again.code).toBe(0);
      expect(again.stderr).toContain("54 records are ranked already");
      expect(sortedLines(bench.path("out.trec"))).toEqual(
        sortedLines(bench.path("calm.trec")).map((line) => line.replace(/mine$/, "other")),
      );
      const other = await bench.ask(rerank("in.jsonl", "out.trec"));
      expect(other.code).toBe(2);
      expect(other.stderr).toContain("outputFormat was trec, is jsonl");
    },
  );
});

describe("submit", () => {
  it("reads every shape, and is the same run for the same input", async () => {
    const server = await TestRedis.start();
    try {
      const env = { REDIS_URL: server.url };
      writeRecords(bench.path("in.jsonl"), [JOB, BATCH, PAIR, FLAG]);
      const worker = await bench.worker(["--model", BUILTIN, "--lanes", "1"], { env });
      const args = ["submit", "--input", "in.jsonl", "--model", BUILTIN, ...words("--wait")];
      const exit = await bench.ask(args, env);
      expect(exit.code).toBe(0);
      const run = exit.stdout.trim();
      expect((await bench.ask(args, env)).stdout.trim()).toBe(run);
      expect((await bench.ask(["results", run, "--output", "out.jsonl"], env)).code).toBe(0);
      const rankings = readRankings(bench.path("out.jsonl"));
      expect(rankings.slice(0, 3).map(({ id }) => id)).toEqual(["job", "batch", "pair"]);
      expect(rankings).toHaveLength(4);
      worker.signal("SIGTERM");
      expect((await worker.exited).code).toBe(0);
      expect(readFileSync(bench.path("in.jsonl"), "utf8")).toContain("custom_id");
    } finally {
      await server.close();
    }
  });
});
