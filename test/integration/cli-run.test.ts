/** `rankmill run` on the sample set, with a Redis of its own: what `npm start` and a new user do. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BERT, BUILTIN, rerank, SAMPLE } from "../support/cli.js";
import {
  readLines,
  readManifest,
  readRankings,
  sortedLines,
  writeRecords,
} from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";

interface SampleRecord {
  id: string;
  documents: { id: string }[];
  metadata: object;
}

function apples(id: string): object {
  return { id, query: "apple", documents: ["apple pie", "car"] };
}

let bench: Bench;

beforeEach(async () => {
  // Without a PATH the command finds no redis-server either.
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
});

afterEach(async () => {
  await bench.close();
});

describe("the sample set in one command", () => {
  it("is ranked whole, in files that say how, and twice to the same bytes", async () => {
    const sample = readLines(SAMPLE).map((line) => JSON.parse(line) as SampleRecord);
    const first = await bench.run(rerank(SAMPLE, "a.jsonl", "--lanes 2"));
    expect(first).toMatchObject({ code: 0, stdout: "" });
    expect(first.stderr).toContain("54/54 records");
    expect(first.stderr).toContain("rankings: a.jsonl");
    expect(first.stderr).toContain(hasRealRedis ? "for this command, in " : "js-redis-server");

    const rankings = readRankings(bench.path("a.jsonl"));
    const byId = new Map(rankings.map((ranking) => [ranking.id, ranking]));
    expect(rankings).toHaveLength(54);
    expect([...byId.keys()].sort()).toEqual(sample.map(({ id }) => id).sort());
    for (const { id, documents, metadata } of sample) {
      const ranking = byId.get(id);
      expect(ranking?.model).toBe(BUILTIN);
      expect(ranking?.metadata).toEqual(metadata);
      expect(ranking?.errors).toBeUndefined();
      const results = ranking?.results ?? [];
      expect(results.map(({ index }) => index).sort((a, b) => a - b)).toEqual([
        ...documents.keys(),
      ]);
      for (const result of results) {
        expect(result.id).toBe(documents[result.index]?.id);
        expect(result.relevance_score).toBeCloseTo(1 / (1 + Math.exp(-result.logit)), 12);
      }
      expect(results).toEqual(results.toSorted((a, b) => b.logit - a.logit || a.index - b.index));
    }

    const manifest = readManifest(bench.path("a.manifest.json"));
    const pairs = sample.reduce((sum, { documents }) => sum + documents.length, 0);
    expect(manifest).toMatchObject({
      state: "complete",
      settings: {
        model: {
          name: BUILTIN,
          precision: "fp32",
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        maxLength: 512,
        truncation: "only-second",
        topN: null,
        tokenizer: "tokenizers",
      },
      counts: { done: 54, failed: 0, pairs, truncated: 0, failedPairs: 0 },
    });
    expect(manifest.counts.tokens).toBe(rankings.reduce((sum, { usage }) => sum + usage.tokens, 0));
    expect(Date.parse(manifest.finishedAt ?? "")).toBeGreaterThanOrEqual(
      Date.parse(manifest.startedAt),
    );
    await bench.untilNothingIsLeft();

    // Another order of work, the same scores.
    const order = "--lanes 1 --concurrency 3 --in-flight-jobs 7 --max-batch-size 3";
    const second = await bench.ask(rerank(SAMPLE, "b.jsonl", order));
    expect(second.code).toBe(0);
    expect(sortedLines(bench.path("b.jsonl"))).toEqual(sortedLines(bench.path("a.jsonl")));
    expect(
      readdirSync(bench.folder)
        .filter((name) => !name.startsWith("."))
        .sort(),
    ).toEqual([
      "a.jsonl",
      "a.jsonl.sums",
      "a.manifest.json",
      "b.jsonl",
      "b.jsonl.sums",
      "b.manifest.json",
    ]);
  });

  it("names no time and no host in its rankings", async () => {
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["d"] }]);
    await bench.ask(rerank("in.jsonl", "out.jsonl"));
    const [ranking] = readRankings(bench.path("out.jsonl"));
    expect(Object.keys(ranking ?? {}).sort()).toEqual(["id", "model", "results", "usage"]);
  });

  it("has nothing to do a second time, and does only what is new", async () => {
    const args = rerank("in.jsonl", "out.jsonl");
    writeRecords(bench.path("in.jsonl"), [apples("a"), apples("b")]);
    expect(await bench.ask(args)).toMatchObject({ code: 0 });
    const before = readLines(bench.path("out.jsonl"));
    writeRecords(bench.path("in.jsonl"), [apples("a"), apples("b"), apples("c")]);
    const again = await bench.ask(args);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain("2 records are ranked already");
    const after = readLines(bench.path("out.jsonl"));
    expect(after.slice(0, 2)).toEqual(before);
    expect(after).toHaveLength(3);
    expect(readManifest(bench.path("out.manifest.json")).counts.done).toBe(3);
  });

  it("works without a redis-server, and says that this is slow and not durable", async () => {
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
    const exit = await bench.run(rerank("in.jsonl", "out.jsonl"), {
      env: { PATH: bench.folder },
    });
    expect(exit.code).toBe(0);
    expect(exit.stderr).toMatch(/js-redis-server .*slow.*not durable/);
    expect(readManifest(bench.path("out.manifest.json")).redis).toContain("js-redis-server");
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(1);
  });
});

describe("standard input and output", () => {
  it("carry records in and rankings out, and failures go to standard error", async () => {
    const good = { id: "a", query: "ripe apples", documents: ["cars", "ripe apples"] };
    const exit = await bench.run(rerank("-", "-"), {
      input: `${JSON.stringify(good)}\nnot json\n${JSON.stringify({ ...good, id: "b" })}`,
    });
    expect(exit.code).toBe(3);
    const rankings = exit.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; results: { index: number }[] });
    expect(rankings.map(({ id }) => id).sort()).toEqual(["a", "b"]);
    expect(rankings.map(({ results }) => results[0]?.index)).toEqual([1, 1]);
    expect(exit.stderr).toMatch(/"line":2,.*"code":"invalid_json"/);
    expect(readdirSync(bench.folder).filter((name) => name.endsWith(".jsonl"))).toEqual([]);
  });
});

describe("a transformer", () => {
  it("gives the scores that its exporter computed", async () => {
    const expected = JSON.parse(readFileSync(`${BERT}/expected.json`, "utf8")) as {
      query: string;
      document: string;
      maxLength: number;
      truncation: string;
      logit: number;
    }[];
    const pairs = expected.filter(
      ({ maxLength, truncation }) => maxLength === 64 && truncation === "only-second",
    );
    expect(pairs.length).toBeGreaterThan(3);
    writeRecords(
      bench.path("in.jsonl"),
      pairs.map(({ query, document }, i) => ({ id: `p${i}`, query, documents: [document] })),
    );
    const exit = await bench.ask(rerank("in.jsonl", "o.jsonl", "--max-length 64", BERT));
    expect(exit.code).toBe(0);
    expect(existsSync(bench.path("o.jsonl.partial"))).toBe(false);
    for (const ranking of readRankings(bench.path("o.jsonl"))) {
      const pair = pairs[Number(ranking.id.slice(1))];
      expect(ranking.results[0]?.logit).toBeCloseTo(pair?.logit ?? Number.NaN, 4);
    }
  });
});
