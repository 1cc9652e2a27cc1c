/** Collections with a first-stage run: reranked, evaluated, and estimated beforehand. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WireRanking } from "../../src/core/contract.js";
import type { Measures } from "../../src/core/evaluation.js";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { zstdStored } from "../support/compress.js";
import { readFailures, readLines, readRankings, writeRecords } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";
import { DATA, given, longTests, testData } from "../support/needs.js";

const EVAL = resolve("test/fixtures/eval");
const NOVELEVAL = join(DATA, "collections/noveleval");

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
});

afterEach(async () => {
  await bench.close();
});

const DOCUMENTS = [
  { _id: "d1", title: "Fruit", text: "Ripe apples are sweet." },
  { _id: "d2", title: "", text: "Cars need fuel." },
  { _id: "d3", title: "Harbours", text: "A lighthouse warns ships of rocks." },
  { _id: "d4", title: "Orchard", text: "Apples ripen in autumn." },
];
const QUERIES = [
  { _id: "q1", text: "when do apples ripen" },
  { _id: "q2", text: "what warns ships of rocks" },
  { _id: "q3", text: "nobody judged this" },
];
/** The right answers last. */
const FIRST_STAGE = [
  "q1 Q0 d2 1 4 bm25",
  "q1 Q0 d3 2 3 bm25",
  "q1 Q0 d1 3 2 bm25",
  "q1 Q0 d4 4 1 bm25",
  "q2 Q0 d1 1 4 bm25",
  "q2 Q0 d3 2 3 bm25",
  "q2 Q0 d2 3 2 bm25",
  "q2 Q0 d4 4 1 bm25",
  "q3 Q0 d1 1 1 bm25",
];
const QRELS = ["query-id\tcorpus-id\tscore", "q1\td4\t1", "q2\td3\t1"];

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Tokens scored for `q1`. */
function tokens(rankings: readonly WireRanking[]): number {
  return rankings.find(({ id }) => id === "q1")?.usage.tokens ?? Number.NaN;
}

/** A BEIR folder `beir` and a run `first.trec` beside it. */
function writeCollection(firstStage: readonly string[] = FIRST_STAGE): void {
  mkdirSync(bench.path("beir/qrels"), { recursive: true });
  writeRecords(bench.path("beir/corpus.jsonl"), DOCUMENTS);
  writeRecords(bench.path("beir/queries.jsonl"), QUERIES);
  writeFileSync(bench.path("beir/qrels/test.tsv"), text(QRELS));
  writeFileSync(bench.path("first.trec"), text(firstStage));
}

function collection(output: string, more = ""): string[] {
  return rerank("beir", output, `--first-stage first.trec ${more}`);
}

/** Document ids of each query in a TREC file, best first. */
function order(path: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const line of readLines(path)) {
    const [query = "", , document = ""] = line.split(" ");
    (found[query] ??= []).push(document);
  }
  return found;
}

describe("a BEIR folder", () => {
  it("is reranked with the texts of its documents, and indexed once", async () => {
    writeCollection();
    const first = await bench.run(collection("out.jsonl"));
    expect(first.code).toBe(0);
    expect(first.stderr).toContain("indexing beir/corpus.jsonl");
    const rankings = readRankings(bench.path("out.jsonl"));
    expect(rankings.map(({ id }) => id).sort()).toEqual(["q1", "q2", "q3"]);
    const best = Object.fromEntries(rankings.map(({ id, results }) => [id, results[0]?.id]));
    expect(best).toMatchObject({ q1: "d4", q2: "d3" });

    // The same texts as records give the same scores.
    const [one, , three, four] = DOCUMENTS.map(({ _id, title, text: body }) => ({
      id: _id,
      text: title === "" ? body : `${title} ${body}`,
    }));
    const query = QUERIES[0]?.text ?? "";
    writeRecords(bench.path("q1.jsonl"), [{ id: "q1", query, documents: [three, one, four] }]);
    expect((await bench.ask(rerank("q1.jsonl", "q1.out.jsonl"))).code).toBe(0);
    const scores = new Map(
      rankings.find(({ id }) => id === "q1")?.results.map(({ id, logit }) => [id, logit]),
    );
    for (const { id, logit } of readRankings(bench.path("q1.out.jsonl"))[0]?.results ?? []) {
      expect(scores.get(id)).toBe(logit);
    }

    const second = await bench.ask(collection("title.jsonl", "--doc-fields title --split test"));
    expect(second.stderr).not.toContain("indexing");
    expect(second.stderr).toContain(`1 queries that split "test" does not judge left out`);
    const titles = readRankings(bench.path("title.jsonl"));
    expect(titles.map(({ id }) => id).sort()).toEqual(["q1", "q2"]);
    expect(tokens(titles)).toBeLessThan(tokens(rankings));
  });

  it("takes a depth, and keeps the rest beneath", given(longTests), async () => {
    writeCollection();
    const trec = "--output-format trec --depth 2";
    expect((await bench.ask(collection("cut.trec", trec))).code).toBe(0);
    expect(order(bench.path("cut.trec"))).toEqual({
      q1: ["d2", "d3"],
      q2: ["d3", "d1"],
      q3: ["d1"],
    });
    expect((await bench.ask(collection("rest.trec", `${trec} --keep-rest`))).code).toBe(0);
    expect(order(bench.path("rest.trec"))).toEqual({
      q1: ["d2", "d3", "d1", "d4"],
      q2: ["d3", "d1", "d2", "d4"],
      q3: ["d1"],
    });
    const scores = readLines(bench.path("rest.trec")).map((line) => line.split(" "));
    // The scores as trec_eval reads them: single precision, and no ranks.
    const falling = scores.map(([query, , , rank, score], i) => {
      const above = scores[i - 1];
      if (above?.[0] !== query) return rank === "1";
      return Math.fround(Number(score)) < Math.fround(Number(above?.[4]));
    });
    expect(falling).toEqual(scores.map(() => true));
    const other = await bench.ask(collection("cut.trec", "--output-format trec --depth 3"));
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("depth was 2, is 3");
  });

  it("may be compressed, and so may the run", given(longTests), async () => {
    writeCollection();
    mkdirSync(bench.path("packed"));
    const corpus = readFileSync(bench.path("beir/corpus.jsonl"));
    writeFileSync(bench.path("packed/corpus.jsonl.gz"), gzipSync(corpus));
    const queries = readFileSync(bench.path("beir/queries.jsonl"), "utf8");
    writeFileSync(bench.path("packed/queries.jsonl.zst"), zstdStored(queries));
    writeFileSync(bench.path("first.trec.zst"), zstdStored(text(FIRST_STAGE)));
    const packed = rerank(
      "packed",
      "packed.trec",
      "--first-stage first.trec.zst --output-format trec",
    );
    expect((await bench.ask(packed)).code).toBe(0);
    expect((await bench.ask(collection("plain.trec", "--output-format trec"))).code).toBe(0);
    expect(readLines(bench.path("packed.trec"))).toEqual(readLines(bench.path("plain.trec")));

    const whole = zstdStored(text(FIRST_STAGE));
    writeFileSync(bench.path("first.trec"), whole.subarray(0, whole.length - 20));
    const cut = await bench.ask(collection("cut.jsonl"));
    expect(cut.code).toBe(2);
    expect(cut.stderr).toContain("first.trec is cut short");
    expect(existsSync(bench.path("cut.jsonl"))).toBe(false);
  });

  it("may hold queries.tsv and collection.tsv instead", given(longTests), async () => {
    writeCollection();
    mkdirSync(bench.path("marco"));
    writeFileSync(
      bench.path("marco/collection.tsv"),
      text(
        DOCUMENTS.map(({ _id, title, text: body }) =>
          `${_id}\t${title} ${body}`.replace("\t ", "\t"),
        ),
      ),
    );
    writeFileSync(
      bench.path("marco/queries.tsv"),
      text(QUERIES.map(({ _id, text: query }) => `${_id}\t${query}`)),
    );
    const marco = rerank("marco", "marco.trec", "--first-stage first.trec --output-format trec");
    expect((await bench.ask(marco)).code).toBe(0);
    expect((await bench.ask(collection("beir.trec", "--output-format trec"))).code).toBe(0);
    expect(readLines(bench.path("marco.trec"))).toEqual(readLines(bench.path("beir.trec")));
  });
});

describe("a first-stage run that does not fit", () => {
  it(
    "loses the lines that do not fit and nothing else, and a second start reports the same",
    given(longTests),
    async () => {
      writeCollection([
        "q1 Q0 d2 1 4 bm25",
        "q1 Q0 gone 2 3 bm25",
        "q1 Q0 d4 3 2 bm25",
        "q1 Q0 d2 4 1 bm25",
        "q1 Q0 d1 five",
        "unknown Q0 d1 1 1 bm25",
        "q2 Q0 gone 1 1 bm25",
      ]);
      const expected = [
        { line: 2, code: "document_not_found", reason: expect.stringContaining('"gone"') },
        { line: 4, code: "duplicate_id" },
        { line: 5, code: "invalid_field", reason: expect.stringContaining("4 columns") },
        { line: 6, id: "unknown", code: "query_not_found" },
        { line: 7, code: "document_not_found" },
      ];
      for (const start of ["first", "second"]) {
        const exit = await bench.ask(collection("out.jsonl"));
        expect(exit.code).toBe(3);
        expect(exit.stderr, start).toContain("2 ranked, 5 failed");
        const failures = readFailures(bench.path("out.failed.jsonl"));
        expect(failures.sort((a, b) => a.line - b.line)).toMatchObject(expected);
        const rankings = readRankings(bench.path("out.jsonl"));
        expect(
          Object.fromEntries(rankings.map(({ id, results }) => [id, results.map((r) => r.id)])),
        ).toEqual({ q1: ["d4", "d2"], q2: [] });
      }
    },
  );

  it("is refused if it or the collection is missing or contradicts itself", async () => {
    writeCollection();
    writeRecords(bench.path("lines.jsonl"), []);
    writeFileSync(bench.path("unsorted.trec"), text([...FIRST_STAGE, "q1 Q0 d1 5 0 bm25"]));
    mkdirSync(bench.path("twice"));
    writeRecords(bench.path("twice/corpus.jsonl"), [...DOCUMENTS, ...DOCUMENTS]);
    writeRecords(bench.path("twice/queries.jsonl"), QUERIES);
    mkdirSync(bench.path("two"));
    writeRecords(bench.path("two/corpus.jsonl"), DOCUMENTS);
    writeRecords(bench.path("two/queries.jsonl"), [...QUERIES, ...QUERIES]);
    const cases: [string[], RegExp][] = [
      [rerank("beir", "o.jsonl"), /beir is a folder: give .*--first-stage/],
      [
        rerank("lines.jsonl", "o.jsonl", "--first-stage first.trec"),
        /--first-stage: needs the folder/,
      ],
      [rerank("lines.jsonl", "o.jsonl", "--depth 3"), /--depth: needs the folder/],
      [rerank("beir", "o.jsonl", "--first-stage none.trec"), /none\.trec: no such file/],
      [collection("o.jsonl", "--split dev"), /beir has no qrels\/dev\.tsv/],
      [collection("o.jsonl", "--keep-rest"), /--keep-rest: needs/],
      [collection("o.jsonl", "--doc-fields title,,text"), /--doc-fields/],
      [rerank(".", "o.jsonl", "--first-stage first.trec"), /has no corpus\.jsonl/],
      [
        rerank("beir", "o.jsonl", "--first-stage unsorted.trec"),
        /unsorted\.trec: line 10: .*sort -s -k1,1/,
      ],
      [
        rerank("twice", "o.jsonl", "--first-stage first.trec"),
        /document "d\d" is there twice, on lines/,
      ],
      [
        rerank("two", "o.jsonl", "--first-stage first.trec"),
        /two\/queries\.jsonl: line \d+: query "q\d" is there twice/,
      ],
    ];
    for (const [args, said] of cases) {
      const exit = await bench.ask(args);
      expect(exit.code, exit.stderr).toBe(2);
      expect(exit.stderr).toMatch(said);
      expect(existsSync(bench.path("o.jsonl"))).toBe(false);
    }
  });
});

interface EvalJson {
  judgedQueries: number;
  before?: Measures & { queries: number };
  run: Measures & { queries: number };
}

async function evaluate(args: string): Promise<EvalJson> {
  const exit = await bench.ask(["eval", "--json", ...words(args)]);
  expect(exit.code, exit.stderr).toBe(0);
  return JSON.parse(exit.stdout) as EvalJson;
}

describe("eval", () => {
  it("gives ir_measures' figures for the committed run", async () => {
    const expected = JSON.parse(readFileSync(join(EVAL, "expected.json"), "utf8")) as Record<
      "all" | "ignoreIdenticalIds",
      { mean: Measures }
    >;
    const files = `--run ${EVAL}/run.trec --qrels ${EVAL}/qrels.tsv`;
    for (const [flag, { mean }] of [
      ["", expected.all],
      ["--ignore-identical-ids", expected.ignoreIdenticalIds],
    ] as const) {
      const { run } = await evaluate(`${files} ${flag}`);
      for (const [measure, value] of Object.entries(mean)) {
        expect(Math.abs(run[measure as keyof Measures] - value), measure).toBeLessThan(1e-6);
      }
    }
  });

  it("is part of a run that has judgements, which are checked before any work", async () => {
    writeCollection();
    const qrels = "--qrels beir/qrels/test.tsv --json";
    const exit = await bench.ask(collection("out.trec", `--output-format trec ${qrels}`));
    expect(exit.code, exit.stderr).toBe(0);
    const files = "--qrels beir/qrels/test.tsv --before first.trec --run";
    expect(JSON.parse(exit.stdout)).toEqual(await evaluate(`${files} out.trec`));
    writeFileSync(bench.path("bad.tsv"), "no judgements here\n");
    const refused = await bench.ask(collection("no.trec", "--qrels bad.tsv"));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/bad\.tsv/);
    writeFileSync(bench.path("other.tsv"), "query-id\tcorpus-id\tscore\nelse\twhere\t1\n");
    const foreign = await bench.ask(collection("no.trec", "--qrels other.tsv"));
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toMatch(/first\.trec: .*are they of another collection/);
    expect(existsSync(bench.path("no.trec"))).toBe(false);
  });

  it("shows before and after, from TREC and from JSONL alike", async () => {
    writeCollection();
    expect((await bench.ask(collection("out.trec", "--output-format trec"))).code).toBe(0);
    const files = "--qrels beir/qrels/test.tsv --before first.trec --run";
    const trec = await evaluate(`${files} out.trec`);
    expect(trec.judgedQueries).toBe(2);
    expect(trec.before).toMatchObject({ "RR@10": (1 / 4 + 1 / 2) / 2, "R@100": 1, queries: 2 });
    expect(trec.run).toMatchObject({ "nDCG@10": 1, "RR@10": 1, AP: 1, "R@100": 1 });
    expect(await evaluate(`${files} out.trec.rankings.jsonl`)).toEqual(trec);
    const shown = await bench.run(["eval", ...words(`${files} out.trec`)]);
    expect(shown.stdout).toMatch(/^nDCG@10 +0\.5308 +1\.0000 +\+0\.4692$/m);
    expect(shown.stdout).toContain("over 2 judged queries");
    expect(shown.stderr).toContain("1 queries are not judged");
  });

  it("refuses the judgements of another collection, and files that are no rankings", async () => {
    writeCollection();
    writeRecords(bench.path("no-ids.jsonl"), [{ id: "q1", results: [{ index: 0, logit: 1 }] }]);
    const qrels = "--qrels beir/qrels/test.tsv --run";
    const cases: [string, RegExp][] = [
      [
        `--qrels ${EVAL}/qrels.tsv --run first.trec`,
        /first\.trec: .* no document of it is judged: .* another collection/,
      ],
      [`${qrels} no-ids.jsonl`, /no-ids\.jsonl: line 1: documents have no ids/],
      [`${qrels} beir/corpus.jsonl`, /line 1 is no ranking/],
      [`${qrels} beir/qrels/test.tsv`, /line 1 has/],
      [`${qrels} none.trec`, /no such file/],
      ["--run first.trec", /--qrels is missing/],
      ["--run first.trec --qrels first.trec", /first\.trec: line 1 of the qrels/],
    ];
    for (const [args, said] of cases) {
      const exit = await bench.ask(["eval", ...words(args)]);
      expect(exit.code, exit.stderr).toBe(2);
      expect(exit.stderr).toMatch(said);
      expect(exit.stdout).toBe("");
    }
  });
});

describe("a dry run", () => {
  it("counts, draws a sample, scores some pairs for real, and writes nothing", async () => {
    const args = ["run", "--input", SAMPLE, "--model", BUILTIN, "--dry-run"];
    const exit = await bench.ask([...args, "--max-length", "64", "--lanes", "1", "--json"]);
    expect(exit.code).toBe(0);
    const figures = JSON.parse(exit.stdout) as {
      pairs: number;
      tokens: { truncatedShare: number; histogram: { to?: number; pairs: number }[] };
      time: { scoredPairs: number; pairsPerSecond: number; expectedSeconds: number };
    };
    expect(figures).toMatchObject({
      records: 54,
      failed: 0,
      pairs: 1209,
      maxLength: 64,
      tokens: { sampledPairs: 1209 },
      redis: { inFlightJobs: 54 },
      time: { pairs: 1209, lanes: 1, measuredLanes: 1, differentDocuments: 310 },
    });
    const { histogram, truncatedShare } = figures.tokens;
    expect(histogram.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(1209);
    expect(histogram.at(-1)?.pairs).toBe(Math.round(truncatedShare * 1209));
    expect(figures.time.scoredPairs).toBeGreaterThanOrEqual(200);
    expect(figures.time.expectedSeconds).toBeGreaterThan(1209 / figures.time.pairsPerSecond);
    expect((await bench.ask(rerank(SAMPLE, "out.jsonl", "--max-length 64"))).stderr).toContain(
      `${histogram.at(-1)?.pairs ?? ""} truncated`,
    );
    const shown = await bench.run([...args, "--top-n", "3"]);
    expect(shown.stdout).toMatch(/1–64 {2}█+ +7\d\.\d %/);
    expect(shown.stdout).toContain("0.0 % would be truncated at 512 tokens");
    expect(shown.stdout).toMatch(/tokens +\d.*: 310 different documents at \d+ per second/);
    expect(shown.stdout).toMatch(/ s; with the start [\d.]+ s\n/);
  });

  it("reports the records that would fail", async () => {
    writeCollection(["q1 Q0 gone 1 1 bm25"]);
    const exit = await bench.ask([
      "run",
      "--dry-run",
      "--model",
      BUILTIN,
      ...words("--input beir --first-stage first.trec"),
    ]);
    expect(exit.code).toBe(3);
    expect(exit.stdout).toContain("line 1: document_not_found");
    expect(exit.stdout).toContain("nothing to score");
  });
});

describe("NovelEval", given(testData("collections/noveleval")), () => {
  it("is reranked and evaluated in one command each", async () => {
    const files = `--first-stage ${NOVELEVAL}/bm25.trec --output-format trec`;
    expect((await bench.ask(rerank(NOVELEVAL, "out.trec", files))).code).toBe(0);
    const { judgedQueries, before, run } = await evaluate(
      `--run out.trec --qrels ${NOVELEVAL}/qrels.tsv --before ${NOVELEVAL}/bm25.trec`,
    );
    expect(judgedQueries).toBe(21);
    expect(before?.queries).toBe(21);
    // The same documents, in a better order.
    expect(run["R@100"]).toBe(before?.["R@100"]);
    expect(run["nDCG@10"]).toBeGreaterThan(before?.["nDCG@10"] ?? 1);
  });
});
