import { describe, expect, it } from "vitest";
import type { RerankRequest } from "../../../src/core/contract.js";
import type { EncodedPair, PairOutcome } from "../../../src/core/pair.js";
import { rank } from "../../../src/core/rank.js";
import {
  DocumentScores,
  type DocumentScore,
  type TextWindow,
} from "../../../src/core/document-score.js";

const MODEL = { name: "m", activation: "sigmoid" } as const;

function pair(tokens: number, truncated = false): EncodedPair {
  return { ids: new Int32Array(tokens), secondStart: tokens, truncated };
}

function scored(...logits: number[]): PairOutcome[] {
  return logits.map((logit) => ({ status: "scored", logit }));
}

/** One pair per document. */
function read(pairs: readonly EncodedPair[], outcomes: readonly PairOutcome[]): DocumentScore[] {
  const readings = new DocumentScores(pairs.length);
  readings.add(
    { pairs, unread: [], origins: pairs.map((_, document) => ({ document })) },
    outcomes,
  );
  return readings.all();
}

function window(start: number): TextWindow {
  return { start, end: start + 100, tokenStart: start / 5, tokenEnd: start / 5 + 20 };
}

function request(texts: string[], rest: Partial<RerankRequest> = {}): RerankRequest {
  return { id: "a", query: "q", documents: texts.map((text) => ({ text })), ...rest };
}

/** Document 0 in three windows, document 1 whole, of two parts. */
function rankingOfLong(outcomes: readonly PairOutcome[]): ReturnType<typeof rank> {
  const readings = new DocumentScores(2);
  const ofFirst = [0, 80].map((start) => ({ document: 0, window: window(start) }));
  readings.add({ pairs: [pair(9), pair(9)], unread: [], origins: ofFirst }, outcomes.slice(0, 2));
  const rest = [160, 0].map((start, document) => ({ document, window: window(start) }));
  readings.add({ pairs: [pair(7, true), pair(5)], unread: [], origins: rest }, outcomes.slice(2));
  return rank(request(["long", "short"]), readings.all(), MODEL);
}

describe("a ranking", () => {
  it("is best first by logit, even if the sigmoid has saturated, ties by index", () => {
    const pairs = [3, 3, 3, 3].map((tokens) => pair(tokens));
    const ranking = rank(request(["a", "b", "c", "d"]), read(pairs, scored(50, 60, 50, -1)), MODEL);
    expect(ranking.results.map(({ index }) => index)).toEqual([1, 0, 2, 3]);
    expect(ranking.results[0]?.relevance_score).toBe(ranking.results[1]?.relevance_score);
    expect(ranking.results[3]).toEqual({
      index: 3,
      relevance_score: 1 / (1 + Math.E),
      logit: -1,
    });
  });

  it("cuts to topN after sorting, and counts all pairs", () => {
    const ranking = rank(
      request(["a", "b", "c"], { topN: 2 }),
      read([pair(4), pair(5, true), pair(6, true)], scored(1, 3, 2)),
      MODEL,
    );
    expect(ranking.results.map(({ index, truncated }) => [index, truncated])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(ranking.usage).toEqual({ pairs: 3, tokens: 15, truncated: 2 });
  });

  it("lists documents without a score apart, and gives them no rank", () => {
    const failed: PairOutcome = { status: "failed", code: "not_a_number", message: "NaN" };
    const outcomes = [...scored(1), failed, ...scored(2)];
    const readings = read([pair(1), pair(1), pair(1)], outcomes);
    const ranking = rank(request(["a", "b", "c"]), readings, MODEL);
    expect(ranking.results.map(({ index }) => index)).toEqual([2, 0]);
    expect(ranking.errors).toEqual([{ index: 1, code: "not_a_number", message: "NaN" }]);
  });

  it("carries ids and metadata if there are any", () => {
    const documents = [{ id: "x", text: "a" }, { text: "b" }];
    const ranking = rank(
      { id: "a", query: "q", documents, metadata: { k: 1 } },
      read([pair(1), pair(1)], scored(1, 0)),
      { name: "m", activation: "identity" },
    );
    expect(ranking).toEqual({
      id: "a",
      model: "m",
      results: [
        { index: 0, id: "x", relevance_score: 1, logit: 1 },
        { index: 1, relevance_score: 0, logit: 0 },
      ],
      usage: { pairs: 2, tokens: 2, truncated: 0 },
      metadata: { k: 1 },
    });
  });

  it("is empty for no documents", () => {
    expect(rank(request([]), [], MODEL)).toEqual({
      id: "a",
      model: "m",
      results: [],
      usage: { pairs: 0, tokens: 0, truncated: 0 },
    });
  });

  it("is never made if an outcome is missing", () => {
    expect(() => read([pair(1), pair(1)], scored(1))).toThrow("document 1 has no outcome");
    expect(() => new DocumentScores(1).all()).toThrow("document 0 has no outcome");
    const readings = read([pair(1)], scored(1));
    expect(() => rank(request(["a", "b"]), readings, MODEL)).toThrow("document 1 has no outcome");
  });
});

describe("a document in windows", () => {
  const FAILED: PairOutcome = { status: "failed", code: "not_a_number", message: "NaN" };

  it("has the logit of its best window, and says which that is", () => {
    const { results, usage } = rankingOfLong(scored(1, 3, 2, 2.5));
    expect(results).toEqual([
      {
        index: 0,
        relevance_score: 1 / (1 + Math.exp(-3)),
        logit: 3,
        truncated: true,
        window: { start: 80, end: 180, token_start: 16, token_end: 36 },
        windows: 3,
      },
      {
        index: 1,
        relevance_score: 1 / (1 + Math.exp(-2.5)),
        logit: 2.5,
        window: { start: 0, end: 100, token_start: 0, token_end: 20 },
        windows: 1,
      },
    ]);
    expect(usage).toEqual({ pairs: 4, tokens: 30, truncated: 1 });
  });

  it("names the first of equal windows", () => {
    expect(rankingOfLong(scored(1, 3, 3, 0)).results[0]?.window?.start).toBe(80);
  });

  it.each([
    ["first", [FAILED, ...scored(1, 2, 0)], "characters 0 to 100: NaN"],
    ["last", [...scored(1, 2), FAILED, ...scored(0)], "characters 160 to 260: NaN"],
  ])(
    "has no score if its %s window has none, and other documents keep theirs",
    (_, outcomes, message) => {
      const { results, errors } = rankingOfLong(outcomes);
      expect(results.map(({ index }) => index)).toEqual([1]);
      expect(errors).toEqual([{ index: 0, code: "not_a_number", message }]);
    },
  );
});
