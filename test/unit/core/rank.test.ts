import { describe, expect, it } from "vitest";
import type { RerankRequest } from "../../../src/core/contract.js";
import type { EncodedPair, PairOutcome } from "../../../src/core/ports.js";
import { rank } from "../../../src/core/rank.js";

const MODEL = { name: "m", activation: "sigmoid" } as const;

function pair(tokens: number, truncated = false): EncodedPair {
  return { ids: new Int32Array(tokens), secondStart: tokens, truncated };
}

function scored(...logits: number[]): PairOutcome[] {
  return logits.map((logit) => ({ status: "scored", logit }));
}

function request(texts: string[], rest: Partial<RerankRequest> = {}): RerankRequest {
  return { id: "a", query: "q", documents: texts.map((text) => ({ text })), ...rest };
}

describe("a ranking", () => {
  it("is best first by logit, even where the sigmoid has saturated, ties by index", () => {
    const pairs = [3, 3, 3, 3].map((tokens) => pair(tokens));
    const ranking = rank(request(["a", "b", "c", "d"]), pairs, scored(50, 60, 50, -1), MODEL);
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
      [pair(4), pair(5, true), pair(6, true)],
      scored(1, 3, 2),
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
    const ranking = rank(request(["a", "b", "c"]), [pair(1), pair(1), pair(1)], outcomes, MODEL);
    expect(ranking.results.map(({ index }) => index)).toEqual([2, 0]);
    expect(ranking.errors).toEqual([{ index: 1, code: "not_a_number", message: "NaN" }]);
  });

  it("carries ids and metadata where there are any", () => {
    const documents = [{ id: "x", text: "a" }, { text: "b" }];
    const ranking = rank(
      { id: "a", query: "q", documents, metadata: { k: 1 } },
      [pair(1), pair(1)],
      scored(1, 0),
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

  it("of nothing is empty", () => {
    expect(rank(request([]), [], [], MODEL)).toEqual({
      id: "a",
      model: "m",
      results: [],
      usage: { pairs: 0, tokens: 0, truncated: 0 },
    });
  });

  it("is never made with an outcome missing", () => {
    expect(() => rank(request(["a", "b"]), [pair(1), pair(1)], scored(1), MODEL)).toThrow(
      "document 1 has no outcome",
    );
  });
});
