import { describe, expect, it } from "vitest";
import { didYouMean, nearNames } from "../../../src/core/near-names.js";

const MODELS = [
  "builtin-bm25",
  "bge-reranker-base",
  "bge-reranker-v2-m3",
  "ms-marco-MiniLM-L12-v2",
  "ms-marco-MiniLM-L6-v2",
  "ms-marco-TinyBERT-L2-v2",
  "mxbai-rerank-base-v1",
];

describe("the names near a mistyped one", () => {
  it("begin with the one that differs by a letter", () => {
    expect(nearNames("builtin-bm26", MODELS)).toEqual(["builtin-bm25"]);
    expect(nearNames("ms-marco-MiniLM-L6-v1", MODELS)[0]).toBe("ms-marco-MiniLM-L6-v2");
  });

  it("are those that contain it, in whatever case", () => {
    expect(nearNames("minilm", MODELS)).toEqual([
      "ms-marco-MiniLM-L6-v2",
      "ms-marco-MiniLM-L12-v2",
    ]);
  });

  it("are three at most, and none if nothing is near", () => {
    expect(nearNames("bge-reranker", [...MODELS, "bge-reranker-a", "bge-reranker-b"])).toHaveLength(
      3,
    );
    expect(nearNames("gpt", MODELS)).toEqual([]);
    expect(nearNames("", MODELS)).toEqual([]);
  });

  it("include a name whose letters changed places", () => {
    expect(nearNames("qurey", ["id", "query", "quarry"])).toEqual(["query"]);
  });

  it("include a name with a part that was mistyped", () => {
    expect(nearNames("minlm", MODELS)).toEqual(["ms-marco-MiniLM-L6-v2", "ms-marco-MiniLM-L12-v2"]);
    const sizes = ["ettin-reranker-1b-v1", "ettin-reranker-17m-v1"];
    expect(nearNames("ettin17m", sizes)[0]).toBe("ettin-reranker-17m-v1");
  });

  it("are put as a question", () => {
    expect(didYouMean("minilm", MODELS)).toBe(
      "did you mean ms-marco-MiniLM-L6-v2 or ms-marco-MiniLM-L12-v2?",
    );
    expect(didYouMean("gpt", MODELS)).toBeUndefined();
  });
});
