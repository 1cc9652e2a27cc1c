import { describe, expect, it } from "vitest";
import {
  detectLineFormat,
  toFlagEmbedding,
  toJobLine,
  type Conversion,
} from "../../../../src/inputs/formats/pairs.js";

const BATCH = {
  custom_id: "r1",
  method: "POST",
  url: "/v1/rerank",
  body: { model: "m", query: "q", documents: ["a", { text: "b" }], top_n: 2 },
};
const PAIR = { id: "p1", query: "q", document: "a" };
const FLAG = { query: "q", pos: ["a"], neg: ["b", "c"], prompt: "p" };

function converted(value: unknown): Extract<Conversion, { status: "converted" }> {
  const conversion = toJobLine(value);
  if (conversion.status !== "converted") throw new Error(conversion.message);
  return conversion;
}

describe("detectLineFormat", () => {
  it("tells each shape by its own fields", () => {
    expect(detectLineFormat({ id: "1", query: "q", documents: [] })).toBe("job");
    expect(detectLineFormat(BATCH)).toBe("openai_batch");
    expect(detectLineFormat(PAIR)).toBe("single_pair");
    expect(detectLineFormat(FLAG)).toBe("flag_embedding");
    for (const value of [null, 3, "x", [], {}, { query: "q" }]) {
      expect(detectLineFormat(value)).toBe("unknown");
    }
  });
});

describe("toJobLine", () => {
  it("hands on the main job's line as it is", () => {
    const line = { custom_id: "1", query: "q", documents: ["a"], top_k: 1, odd: true };
    expect(converted(line).job).toBe(line);
  });

  it("unpacks an OpenAI batch line and tells its model and what it ignores", () => {
    expect(converted(BATCH)).toEqual({
      status: "converted",
      job: { id: "r1", query: "q", documents: ["a", { text: "b" }], top_n: 2 },
      model: "m",
      ignored: [],
    });
    const more = { ...BATCH, body: { ...BATCH.body, return_documents: true }, extra: 1 };
    expect(converted(more).ignored).toEqual(["extra", "body.return_documents"]);
  });

  it("leaves wrong values in place, for the contract to name", () => {
    const line = { ...BATCH, body: { query: 7, documents: "no list", top_n: null } };
    expect(converted(line).job).toEqual({ id: "r1", query: 7, documents: "no list" });
  });

  it("refuses a batch line that asks for something else", () => {
    expect(toJobLine({ ...BATCH, url: "/v1/embeddings" })).toMatchObject({
      status: "unusable",
      field: "url",
      message: 'url must end in "/rerank", not "/v1/embeddings"',
    });
    expect(toJobLine({ ...BATCH, method: "GET" })).toMatchObject({ field: "method" });
    expect(toJobLine({ ...BATCH, body: "text" })).toMatchObject({ field: "body" });
  });

  it("makes a job of one document from a pair", () => {
    expect(converted(PAIR).job).toEqual({ id: "p1", query: "q", documents: ["a"] });
    const withId = { ...PAIR, document: { id: "d", text: "a" }, metadata: { k: 1 } };
    expect(converted(withId).job).toEqual({
      id: "p1",
      query: "q",
      documents: [{ id: "d", text: "a" }],
      metadata: { k: 1 },
    });
  });

  it("lists positives before negatives, with an id that follows the content", () => {
    const { job } = converted(FLAG);
    expect(job).toMatchObject({ query: "q", documents: ["a", "b", "c"] });
    expect(job.id).toMatch(/^[0-9a-f]{32}$/);
    expect(converted({ ...FLAG }).job.id).toBe(job.id);
    expect(converted({ ...FLAG, pos: ["a", "b"], neg: ["c"] }).job.id).not.toBe(job.id);
    expect(converted({ ...FLAG, id: "mine" }).job.id).toBe("mine");
    expect(converted({ query: "q", pos: ["a"] }).job.documents).toEqual(["a"]);
    expect(toJobLine({ query: "q", pos: "a", neg: [] })).toMatchObject({ field: "pos" });
  });

  it("says that a line has no known shape", () => {
    expect(toJobLine([])).toMatchObject({
      status: "unusable",
      message: "the line must be an object",
    });
    expect(toJobLine({ query: "q" })).toMatchObject({ status: "unusable", field: "documents" });
  });
});

describe("toFlagEmbedding", () => {
  it("adds scores in the order of pos and neg and keeps all else", () => {
    const results = [
      { index: 2, logit: 3.5 },
      { index: 0, logit: 1 },
      { index: 1, logit: -2 },
    ];
    expect(toFlagEmbedding(FLAG, results)).toEqual({
      ...FLAG,
      pos_scores: [1],
      neg_scores: [-2, 3.5],
    });
  });

  it("writes null for a document without a score, never a shifted list", () => {
    expect(toFlagEmbedding(FLAG, [{ index: 2, logit: 0 }])).toMatchObject({
      pos_scores: [null],
      neg_scores: [null, 0],
    });
  });
});
