import { describe, expect, it } from "vitest";
import { evaluateQuery } from "../../../../src/core/evaluation.js";
import { formatTrecQuery, loadTrecRun, readTrecRun } from "../../../../src/inputs/read/trec.js";
import { collect, inChunks } from "../support.js";

const LINES = { maxLineBytes: 1000 };

async function readRun(text: string, depth?: number) {
  return collect(readTrecRun(inChunks(text, 11), { ...LINES, depth }));
}

describe("readTrecRun", () => {
  it("yields each query's candidates best first: by score, then rank, then line", async () => {
    const text = [
      "q1 Q0 low 1 1.5 bm25",
      "q1\tQ0\ttie-b\t4\t2\tbm25",
      "q1  Q0  tie-a  3  2.0  bm25 ",
      "q1 Q0 tie-c 4 2 bm25",
      "q1 Q0 top 2 1e3 bm25",
      "q2 Q0 only 1 -0.5 bm25",
    ].join("\r\n");
    const queries = await readRun(text);
    expect(queries).toMatchObject([
      { status: "query", queryId: "q1", lineNumber: 1, rest: [] },
      { status: "query", queryId: "q2", lineNumber: 6, rest: [] },
    ]);
    expect(
      queries.map((query) =>
        query.status === "query" ? query.candidates.map(({ documentId }) => documentId) : [],
      ),
    ).toEqual([["top", "tie-a", "tie-b", "tie-c", "low"], ["only"]]);
  });

  it.each(["0x10", "0b1", "1_000", "1e999", "Infinity", "٣", "1,5", "--1", "."])(
    "takes %s for no number, as other readers of runs do",
    async (number) => {
      const lines = await readRun(`q Q0 a 1 ${number} t\nq Q0 b ${number} 1 t\n`);
      expect(lines.map(({ status }) => status)).toEqual(["unreadable", "unreadable"]);
    },
  );

  it("cuts at the depth and keeps what lies below", async () => {
    const text = "q Q0 c 3 1 t\nq Q0 a 1 3 t\nq Q0 b 2 2 t\n";
    expect(await readRun(text, 2)).toMatchObject([
      {
        candidates: [{ documentId: "a" }, { documentId: "b" }],
        rest: [{ documentId: "c", rank: 3, score: 1 }],
      },
    ]);
    expect(await readRun(text, 10)).toMatchObject([{ rest: [] }]);
  });

  it("reports malformed lines with their numbers and goes on", async () => {
    const text = [
      "q Q0 a 1 3 t",
      "q Q0 b 2 t",
      "q Q0 c 2 3 a tag with blanks",
      "q Q0 d x 3 t",
      "q Q0 e 2 NaN t",
      "",
      "q Q0 a 2 1 t",
      "q Q0 f 9 -1 t",
    ].join("\n");
    const items = await readRun(text);
    expect(items).toMatchObject([
      { lineNumber: 2, code: "invalid_field", message: expect.stringContaining("5 columns") },
      { lineNumber: 3, code: "invalid_field" },
      { lineNumber: 4, message: 'line 4: rank "x" is no number', head: "q Q0 d x 3 t" },
      { lineNumber: 5, message: 'line 5: score "NaN" is no number' },
      { lineNumber: 7, code: "duplicate_id" },
      { status: "query", candidates: [{ documentId: "a", score: 3 }, { documentId: "f" }] },
    ]);
  });

  it("refuses a run whose queries are scattered, and says how to sort it", async () => {
    const text = "q1 Q0 a 1 3 t\nq2 Q0 a 1 3 t\nq1 Q0 b 2 2 t\n";
    await expect(readRun(text)).rejects.toThrow(
      /line 3: query "q1" comes again.*sort -s -k1,1 RUN/,
    );
  });
});

describe("loadTrecRun", () => {
  it("takes lines in any order, and no malformed one", async () => {
    const text = "q1 Q0 a 1 3 t\nq2 Q0 a 1 3 t\nq1 Q0 b 2 2 t\n";
    const run = await loadTrecRun(inChunks(text), LINES);
    expect(run.get("q1")).toEqual([
      { id: "a", score: 3 },
      { id: "b", score: 2 },
    ]);
    await expect(loadTrecRun(inChunks(`${text}oops\n`), LINES)).rejects.toThrow("line 4");
  });
});

function write(ranking: [string, number][], rest: string[] = []) {
  const documents = ranking.map(([id, logit]) => ({ id, logit }));
  return formatTrecQuery("q", documents, { tag: "rankmill", rest });
}

describe("formatTrecQuery", () => {
  it("writes ranks from 1 and the logit at full precision", () => {
    const precise = Math.fround(0.1);
    expect(
      write([
        ["a", 8.25],
        ["b", precise],
        ["c", -1e-7],
      ]),
    ).toBe(`q Q0 a 1 8.25 rankmill\nq Q0 b 2 ${precise} rankmill\nq Q0 c 3 -1e-7 rankmill\n`);
    expect(write([])).toBe("");
  });

  it.each([
    ["ties", [5, 5, 5, 1]],
    ["ties of zeros of both signs", [0, -0, 0, -0]],
    ["ties of negatives", [-3.5, -3.5, -3.5, -3.5]],
    ["a tie that reaches the next logit", [1, 1, 1, 1 - 2 ** -24]],
    ["logits that differ in double precision only", [2 + 2e-12, 2 + 1e-12, 2, 2 - 1e-12]],
    ["extremes", [3.4e38, 3.4e38, -3.4e38, -3.4e38]],
  ])("keeps its order in an evaluator that sorts by score: %s", async (_name, logits) => {
    // Ids against the order, whichever way ties are broken.
    for (const ids of [
      ["a", "b", "c", "d"],
      ["d", "c", "b", "a"],
    ]) {
      const lines = write(ids.map((id, index) => [id, logits[index] ?? 0]));
      const run = await loadTrecRun(inChunks(lines), LINES);
      const documents = run.get("q") ?? [];
      ids.forEach((id, index) => {
        const measures = evaluateQuery(new Map([[id, 1]]), documents);
        expect(measures.AP, `${id} of ${ids.join("")}`).toBe(1 / (index + 1));
        expect(measures["RR@10"]).toBe(1 / (index + 1));
        const logit = logits[index] ?? 0;
        const score = documents[index]?.score ?? NaN;
        expect(Math.abs(score - logit)).toBeLessThanOrEqual(Math.abs(logit) * 1e-6 + 1e-40);
      });
    }
  });

  it("puts documents without a logit beneath, in their order", async () => {
    const lines = write([["a", -2.5]], ["x", "y"]);
    expect(lines).toBe("q Q0 a 1 -2.5 rankmill\nq Q0 x 2 -3.5 rankmill\nq Q0 y 3 -4.5 rankmill\n");
    expect(write([], ["x", "y"])).toBe("q Q0 x 1 0 rankmill\nq Q0 y 2 -1 rankmill\n");
    expect(write([["a", -(2 ** 30)]], ["x"])).not.toContain("x 2 -1073741824 ");
  });

  it("refuses what a column cannot hold", () => {
    expect(() => write([["a b", 1]])).toThrow('document id "a b" cannot stand in a TREC file');
    expect(() => write([["", 1]])).toThrow("document id");
    expect(() => write([["a", NaN]])).toThrow("has the logit NaN");
    expect(() => formatTrecQuery("q 1", [], { tag: "t" })).toThrow("query id");
    expect(() => formatTrecQuery("q", [], { tag: "my run" })).toThrow("tag");
  });
});
