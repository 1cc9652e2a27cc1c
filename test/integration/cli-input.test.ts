/**
 * The lines that a file may hold: lines that cannot become jobs and lines that look as if they could not. One
 * run takes them all, since each must be taken beside all others.
 */
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { WireRanking } from "../../src/core/contract.js";
import type { RecordFailure } from "../../src/core/record.js";
import { useFleet } from "../support/fleet.js";
import { BUILTIN, type CliExit, rerank } from "../support/cli.js";
import { readFailures, readManifest, readRankings, writeRecords } from "../support/records.js";

const LOREM = "Lighthouses warn ships of rocks and shallow water near the coast. ";
const LONG_DOCUMENT = LOREM.repeat(Math.ceil(200_000 / LOREM.length)).slice(0, 200_000);
const LONG_QUERY = "which lighthouses warn ships at night ".repeat(500);

const OPTIONS =
  "--top-n 2 --max-length 128 --max-query-chars 20000 --max-document-chars 250000 " +
  "--max-documents 40 --max-job-bytes 900000";

/** Lines that must fail, with the code and what the reason must name. */
const BAD: {
  line: unknown;
  id?: string;
  code: string;
  reason: RegExp;
  /** The beginning of the line, if it is not kept whole. */
  head?: string;
}[] = [
  { line: '{"id": "broken", "query": ', code: "invalid_json", reason: /not JSON/ },
  { line: [1, 2], code: "invalid_field", reason: /the record/ },
  { line: null, code: "invalid_field", reason: /the record/ },
  {
    line: { id: "no-query", documents: ["d"] },
    id: "no-query",
    code: "invalid_field",
    reason: /^query: is missing/,
  },
  {
    line: { id: "blank-query", query: " \t", documents: ["d"] },
    id: "blank-query",
    code: "invalid_field",
    reason: /^query: must not be empty/,
  },
  {
    line: { id: "no-documents", query: "q" },
    id: "no-documents",
    code: "invalid_field",
    reason: /^documents: is missing/,
  },
  {
    line: { id: 1.5, query: "q", documents: ["d"] },
    code: "invalid_field",
    reason: /^id: must be a string/,
  },
  {
    line: { id: "bad-document", query: "q", documents: ["d", { text: 7 }] },
    id: "bad-document",
    code: "invalid_field",
    reason: /^documents\[1\]\.text: /,
  },
  {
    line: { id: "bad-top-n", query: "q", documents: ["d"], top_n: -1 },
    id: "bad-top-n",
    code: "invalid_field",
    reason: /^top_n: /,
  },
  {
    line: { id: "two-names", custom_id: "another", query: "q", documents: ["d"] },
    id: "two-names",
    code: "invalid_field",
    reason: /id and custom_id differ/,
  },
  {
    line: Buffer.concat([
      Buffer.from('{"id": "latin1", "query": "caf'),
      Buffer.of(0xe9),
      Buffer.from('"}'),
    ]),
    code: "invalid_json",
    reason: /UTF-8/,
    head: '{"id": "latin1", "query": "caf\ufffd"}'.slice(0, 30),
  },
  {
    line: { id: "long-query", query: "q".repeat(20_001), documents: ["d"] },
    id: "long-query",
    code: "limit_exceeded",
    reason: /^query: has 20001 characters, over the limit of 20000 \(maxQueryChars\)/,
  },
  {
    line: { id: "long-document", query: "q", documents: ["d", "d".repeat(250_001)] },
    id: "long-document",
    code: "limit_exceeded",
    reason: /^documents\[1\]: has 250001 characters, over the limit of 250000/,
  },
  {
    line: { id: "many", query: "q", documents: Array.from({ length: 41 }, () => "d") },
    id: "many",
    code: "limit_exceeded",
    reason: /^documents: has 41 documents, over the limit of 40 \(maxDocuments\)/,
  },
  {
    line: {
      id: "large",
      query: "q",
      documents: Array.from({ length: 10 }, () => "d".repeat(99_000)),
    },
    code: "limit_exceeded",
    reason: /99\d\d\d\d bytes.*900000/,
    head: '{"id":"large","query":"q","documents":["d'.slice(0, 30),
  },
  { line: { id: "good", query: "q", documents: [] }, code: "duplicate_id", reason: /"good"/ },
  { line: { id: "good", query: "", documents: [] }, code: "invalid_field", reason: /^query/ },
  {
    line: { id: "no-query", query: "q", documents: [] },
    code: "duplicate_id",
    reason: /"no-query"/,
  },
];

const UNICODE = [
  "👩‍👩‍👧‍👦 a family, 🏳️‍🌈 a flag and 👍🏽 a thumb",
  "e\u0301clair and Å\u030a\u0323\u0302\u0303 with combining marks",
  "ما هو الذكاء الاصطناعي؟ \u202bright to left\u202c",
  "lone \ud800 surrogates \udc00 at \udfff",
  "a NUL \u0000 in between",
  "\ufeff\u200b\u2060",
  "[CLS] [SEP] </s> <mask>",
  "",
];

const GOOD = [
  { id: "good", query: "ships", documents: ["cars", { id: "d1", text: "ships" }] },
  { id: "long-text", query: "ships", documents: [LONG_DOCUMENT, "ships"] },
  {
    id: "over-long-query",
    query: LONG_QUERY.slice(0, 19_000),
    documents: ["night", LONG_DOCUMENT],
  },
  { id: "nothing", query: "ships", documents: [], metadata: {} },
  { id: "twins", query: "ships", documents: ["a ship", "ships at sea", "a ship", "ships at sea"] },
  {
    id: "unicode",
    query: "family 👩‍👩‍👧‍👦 \ud800",
    documents: UNICODE,
    metadata: { "k\ud800\u0000": UNICODE },
  },
  { id: "名前 👩‍👧 \ud800", query: "ذكاء", documents: ["ذكاء", "x"] },
  { id: "123", query: "all digits", documents: ["digits", "letters"] },
  {
    custom_id: "nulls",
    id: null,
    query: "ships",
    documents: ["a", { id: null, text: "b" }],
    top_n: null,
    top_k: null,
    metadata: null,
  },
  { id: "top-0", query: "ships", documents: ["a", "b", "c"], top_n: 0 },
  { id: "top-k", query: "ships", documents: ["cars", "ships", "c"], top_k: 1 },
  { query: "no id", documents: ["a"] },
  { id: 12, question: "other names", passages: ["a", { id: 1, text: "b" }] },
  { id: "top-9", query: "ships", documents: ["a", "b", "c"], top_n: 9, colour: "blue" },
];

const fleet = useFleet({ shared: "everything" });
let exit: CliExit;
let rankings: Map<string, WireRanking>;
let failures: RecordFailure[];
/** Blank lines are between good and bad: they are no records, but they count as lines. */
const lines = [...GOOD, "", "   ", ...BAD.map(({ line }) => line)];

beforeAll(async () => {
  writeRecords(fleet.bench.path("in.jsonl"), lines);
  exit = await fleet.bench.run(rerank("in.jsonl", "out.jsonl", OPTIONS));
  rankings = new Map(
    readRankings(fleet.bench.path("out.jsonl")).map((ranking) => [ranking.id, ranking]),
  );
  failures = readFailures(fleet.bench.path("out.failed.jsonl"));
});

function ranking(id: string): WireRanking {
  const found = rankings.get(id);
  if (found === undefined) throw new Error(`no ranking for ${id}`);
  return found;
}

describe("a file with good and bad lines", () => {
  it("exits 3 and accounts for every line once", () => {
    expect(exit.code).toBe(3);
    expect(rankings.size).toBe(GOOD.length);
    expect(failures).toHaveLength(BAD.length);
    expect(exit.stderr).toContain(`${GOOD.length} ranked, ${BAD.length} failed`);
    expect(readManifest(fleet.bench.path("out.manifest.json"))).toMatchObject({
      state: "complete",
      counts: { done: GOOD.length, failed: BAD.length },
    });
    expect(
      readdirSync(fleet.bench.folder)
        .filter((name) => name.startsWith("out"))
        .sort(),
    ).toEqual(["out.failed.jsonl", "out.jsonl", "out.jsonl.sums", "out.manifest.json"]);
  });

  it.each(BAD.map((bad, index) => ({ ...bad, index })))(
    "reports line $index of the bad lines: $code, $reason",
    ({ line, id, code, reason, index, head }) => {
      const lineNumber = GOOD.length + 2 + index + 1;
      const failure = failures.find((one) => one.line === lineNumber);
      expect(failure).toMatchObject({ code, reason: expect.stringMatching(reason) });
      expect(failure?.id).toBe(id);
      const input = head === undefined ? failure?.input : String(failure?.input).slice(0, 30);
      expect(input).toEqual(head ?? line);
    },
  );

  it("says once that an unknown field is ignored", () => {
    expect(exit.stderr).toContain('unknown field "colour" is ignored');
  });
});

describe("unusual records", () => {
  it("a document of 200 kB is truncated, and it still has a score", () => {
    const { results, usage } = ranking("long-text");
    expect(results).toHaveLength(2);
    expect(results.find(({ index }) => index === 0)?.truncated).toBe(true);
    expect(results.find(({ index }) => index === 1)).not.toHaveProperty("truncated");
    expect(usage).toMatchObject({ pairs: 2, truncated: 1 });
    expect(usage.tokens).toBeLessThan(2 * 128);
  });

  it("a query longer than the max length is cut and leaves room for the documents", () => {
    const { results, usage } = ranking("over-long-query");
    expect(results.map(({ truncated }) => truncated)).toEqual([true, true]);
    expect(usage.tokens).toBeLessThanOrEqual(2 * 128);
    expect(results.every(({ logit }) => Number.isFinite(logit))).toBe(true);
  });

  it("a query without documents has an empty ranking", () => {
    expect(ranking("nothing")).toEqual({
      id: "nothing",
      model: BUILTIN,
      results: [],
      usage: { pairs: 0, tokens: 0, truncated: 0 },
      metadata: {},
    });
  });

  it("a record without an id is named after its line, and a number is one", () => {
    const line = GOOD.findIndex(({ query }) => query === "no id") + 1;
    expect(ranking(`line-${line}`).results).toHaveLength(1);
    expect(new Set(ranking("12").results.map(({ id }) => id))).toEqual(new Set(["1", undefined]));
  });

  it("equal documents have equal scores, in the order of the request", () => {
    // Two results were asked for: the better pair of twins.
    const { results } = ranking("twins");
    expect(results).toHaveLength(2);
    const [first, second] = results;
    expect(first?.logit).toBe(second?.logit);
    expect([first?.index, second?.index]).toSatisfy(
      (pair: number[]) => String(pair) === "0,2" || String(pair) === "1,3",
    );
  });

  it("emoji, marks, right-to-left text, lone surrogates, NUL, invisible and empty texts have scores", () => {
    const { results, errors, metadata } = ranking("unicode");
    expect(errors).toBeUndefined();
    expect(results).toHaveLength(2);
    expect(results[0]?.index).toBe(0);
    expect(metadata).toEqual({ "k\ud800\u0000": UNICODE });
    expect(ranking("名前 👩‍👧 \ud800").results[0]?.index).toBe(0);
  });

  it("a record may use the other names of fields, null in optional ones, and ids of digits alone", () => {
    expect(ranking("nulls").results.map((result) => Object.keys(result))).toEqual([
      ["index", "relevance_score", "logit"],
      ["index", "relevance_score", "logit"],
    ]);
    expect(ranking("nulls")).not.toHaveProperty("metadata");
    expect(ranking("123").results).toHaveLength(2);
  });

  it("top_n 0 and a top_n beyond the list keep all documents, whatever the run's own top_n is", () => {
    expect(ranking("top-0").results).toHaveLength(3);
    expect(ranking("top-9").results).toHaveLength(3);
    expect(ranking("top-k").results.map(({ index }) => index)).toEqual([1]);
    expect(ranking("good").results.map(({ id }) => id)).toEqual(["d1", undefined]);
  });
});

describe("a Redis that was given to a run", () => {
  it("holds BullMQ's frame of the queues, the model's entry and the fence counter, and nothing else", async () => {
    const keys = await fleet.redis.keys("*");
    const expected =
      /^rankmill:(models|\{[^}]+\}:fences|\{[^}]+\}-(bulk|interactive):(meta|events|id|stalled-check|metrics:.*))$/;
    expect(keys.filter((key) => !expected.test(key))).toEqual([]);
    expect(keys).toContain("rankmill:models");
  });
});

describe("the same records through the tokenizer in JavaScript", () => {
  it("have the same rankings", async () => {
    const again = await fleet.bench.run(
      rerank("in.jsonl", "js.jsonl", `${OPTIONS} --tokenizer transformers`),
    );
    expect(again.code).toBe(3);
    expect(readManifest(fleet.bench.path("js.manifest.json")).settings.tokenizer).toBe(
      "transformers",
    );
    const other = new Map(readRankings(fleet.bench.path("js.jsonl")).map((one) => [one.id, one]));
    // The two may differ in rare code points; the tokenizers' own suite lists that.
    expect(other.get("unicode")?.results).toHaveLength(2);
    const [mine, theirs] = [rankings, other].map((all) =>
      [...all].filter(([id]) => id !== "unicode").sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    expect(theirs).toEqual(mine);
  });
});

describe("an empty file", () => {
  it.each(["", "\n \n"])("gives an empty output if its content is %j", async (content) => {
    const input = content === "" ? [] : ["", " "];
    writeRecords(fleet.bench.path("empty.jsonl"), input);
    const done = await fleet.bench.run(rerank("empty.jsonl", "e.jsonl", "--force-new"));
    expect(done.code).toBe(0);
    expect(done.stderr).toContain("empty.jsonl holds no record");
    expect(readRankings(fleet.bench.path("e.jsonl"))).toEqual([]);
    expect(readManifest(fleet.bench.path("e.manifest.json"))).toMatchObject({
      state: "complete",
      counts: { done: 0, failed: 0, pairs: 0 },
    });
  });
});
