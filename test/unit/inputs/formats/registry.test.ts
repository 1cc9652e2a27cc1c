import { describe, expect, it } from "vitest";
import type { Conversion } from "../../../../src/core/ports/input-format.js";
import { flagEmbedding } from "../../../../src/inputs/formats/flagembedding.js";
import {
  converterOf,
  detectFormat,
  INPUT_FORMATS,
} from "../../../../src/inputs/formats/registry.js";

const BATCH = {
  custom_id: "r1",
  method: "POST",
  url: "/v1/rerank",
  body: { model: "m", query: "q", documents: ["a", { text: "b" }], top_n: 2 },
};
const PAIR = { id: "p1", query: "q", document: "a" };
const FLAG = { query: "q", pos: ["a"], neg: ["b", "c"], prompt: "p" };

const toRequest = converterOf("auto");

function converted(value: unknown): Extract<Conversion, { status: "converted" }> {
  const conversion = toRequest(value);
  if (conversion.status !== "converted") throw new Error(conversion.message);
  return conversion;
}

describe("the registry of input formats", () => {
  it("tells each shape by its own fields", () => {
    expect(detectFormat({ id: "1", query: "q", documents: [] })?.name).toBe("job");
    expect(detectFormat(BATCH)?.name).toBe("openai-batch");
    expect(detectFormat(PAIR)?.name).toBe("pair");
    expect(detectFormat(FLAG)?.name).toBe("flagembedding");
    for (const value of [{}, { query: "q" }]) expect(detectFormat(value)).toBeUndefined();
  });

  it("spells its names as the option does", () => {
    expect(INPUT_FORMATS).toEqual([
      "auto",
      "job",
      "openai-batch",
      "flagembedding",
      "pair",
      "other-names",
    ]);
    expect(() => converterOf("openai_batch")).toThrow('"openai_batch" is not known: auto, job');
  });

  it("refuses a line that is no object", () => {
    for (const [value, kind] of [
      [[], "array"],
      [null, "null"],
      [3, "number"],
    ] as const) {
      expect(toRequest(value)).toMatchObject({
        status: "unusable",
        message: `the record: expected object, received ${kind}`,
      });
    }
  });

  it.each([
    { question: "q", documents: ["a"] },
    { q: "q", document: "a" },
    { search_query: "q", documents: [{ id: "d", text: "a" }] },
  ])("reads a query under another name beside documents under their own (%j)", (line) => {
    const [, documents] = Object.values(line);
    expect(converted(line).request).toEqual({
      query: "q",
      documents: Array.isArray(documents) ? documents : [documents],
    });
  });

  it("says of a line without a shape what is missing, what there is, and what may be meant", () => {
    expect(toRequest({ question: "q", pasages: ["a"] })).toMatchObject({
      status: "unusable",
      field: "documents",
      message: expect.stringMatching(
        /^documents: is missing \(also read as document, docs.*the record has question, pasages; is pasages meant\?$/,
      ) as string,
    });
    expect(toRequest({ quarry: "q", id: 1 })).toMatchObject({
      message: expect.stringMatching(/^query: is missing .*has quarry, id$/) as string,
    });
    expect(converted({}).request).toEqual({});
  });
});

describe("a request's line", () => {
  it("is handed on as it is", () => {
    const line = { custom_id: "1", query: "q", documents: ["a"], top_k: 1, odd: true };
    expect(converted(line).request).toBe(line);
  });
});

describe("an OpenAI batch line", () => {
  it("is unpacked, and tells its model and what is ignored", () => {
    expect(converted(BATCH)).toEqual({
      status: "converted",
      request: { id: "r1", query: "q", documents: ["a", { text: "b" }], top_n: 2 },
      model: "m",
      ignored: [],
    });
    const more = { ...BATCH, body: { ...BATCH.body, return_documents: true }, extra: 1 };
    expect(converted(more).ignored).toEqual(["extra", "body.return_documents"]);
  });

  it("keeps wrong values, for the contract to name", () => {
    const line = { ...BATCH, body: { query: 7, documents: "no list", top_n: null } };
    expect(converted(line).request).toEqual({ id: "r1", query: 7, documents: "no list" });
  });

  it("is refused if it asks for something else", () => {
    expect(toRequest({ ...BATCH, url: "/v1/embeddings" })).toMatchObject({
      status: "unusable",
      field: "url",
      message: 'url must end in "/rerank" or "/score", not "/v1/embeddings"',
    });
    expect(toRequest({ ...BATCH, method: "GET" })).toMatchObject({ field: "method" });
    expect(toRequest({ ...BATCH, body: "text" })).toMatchObject({ field: "body" });
  });
});

describe("a single pair", () => {
  it("becomes a request of one document", () => {
    expect(converted(PAIR).request).toEqual({ id: "p1", query: "q", documents: ["a"] });
    const withId = { ...PAIR, document: { id: "d", text: "a" }, metadata: { k: 1 } };
    expect(converted(withId).request).toEqual({
      id: "p1",
      query: "q",
      documents: [{ id: "d", text: "a" }],
      metadata: { k: 1 },
    });
  });
});

describe("a FlagEmbedding line", () => {
  it("lists positives before negatives, with an id that follows the content", () => {
    const { request } = converted(FLAG);
    expect(request).toMatchObject({ query: "q", documents: ["a", "b", "c"] });
    expect(request.id).toMatch(/^[0-9a-f]{32}$/);
    expect(converted({ ...FLAG }).request.id).toBe(request.id);
    const moved = converted({ ...FLAG, pos: ["a", "b"], neg: ["c"] });
    expect(moved.request.id).not.toBe(request.id);
    expect(converted({ ...FLAG, id: "mine" }).request.id).toBe("mine");
    expect(converted({ query: "q", pos: ["a"] }).request.documents).toEqual(["a"]);
    expect(toRequest({ query: "q", pos: "a", neg: [] })).toMatchObject({ field: "pos" });
  });

  it("gets its scores in the order of pos and neg and keeps all else", () => {
    const results = [
      { index: 2, logit: 3.5 },
      { index: 0, logit: 1 },
      { index: 1, logit: -2 },
    ];
    expect(flagEmbedding.writeBack(FLAG, results)).toEqual({
      ...FLAG,
      pos_scores: [1],
      neg_scores: [-2, 3.5],
    });
  });

  it("gets null for a document without a score, never a shifted list", () => {
    expect(flagEmbedding.writeBack(FLAG, [{ index: 2, logit: 0 }])).toMatchObject({
      pos_scores: [null],
      neg_scores: [null, 0],
    });
  });
});
