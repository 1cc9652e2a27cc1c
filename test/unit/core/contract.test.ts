import { describe, expect, it } from "vitest";
import {
  DEFAULT_LIMITS,
  jsonSchemas,
  type Limits,
  parseRequest,
  type RerankRequest,
  toWireRequest,
} from "../../../src/core/contract.js";
import { RankmillError } from "../../../src/core/errors.js";

const LIMITS: Limits = {
  maxDocuments: 3,
  maxQueryChars: 10,
  maxDocumentChars: 20,
  maxJobBytes: 1_000,
};

function parse(value: unknown, bytes = 100): RerankRequest {
  return parseRequest(value, LIMITS, bytes);
}

function refusal(
  value: unknown,
  bytes?: number,
): Pick<RankmillError, "code" | "field" | "message"> {
  try {
    parse(value, bytes);
  } catch (error) {
    if (error instanceof RankmillError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a request", () => {
  it("is read with documents as strings or as objects", () => {
    const documents = ["one", { text: "two" }, { id: "3", text: "three" }];
    expect(parse({ id: "a", query: "q", documents, metadata: { k: [1] } })).toEqual({
      id: "a",
      query: "q",
      documents: [{ text: "one" }, { text: "two" }, { id: "3", text: "three" }],
      metadata: { k: [1] },
    });
  });

  it("may use other names of id and top_n, but not against each other", () => {
    expect(parse({ custom_id: "a", query: "q", documents: [], top_k: 2 })).toEqual({
      id: "a",
      query: "q",
      documents: [],
      topN: 2,
    });
    expect(parse({ id: "a", custom_id: "a", query: "q", documents: [] }).id).toBe("a");
    expect(refusal({ id: "a", custom_id: "b", query: "q", documents: [] })).toMatchObject({
      code: "invalid_field",
      field: "id and custom_id",
    });
    expect(refusal({ id: "a", query: "q", documents: [], top_n: 1, top_k: 2 })).toMatchObject({
      field: "top_n and top_k",
    });
  });

  it("may have null in every optional field, and top_n 0 for all", () => {
    const nulls = { custom_id: null, top_n: null, top_k: null, metadata: null };
    const documents = [{ id: null, text: "d" }];
    const plain = { id: "a", query: "q", documents: [{ text: "d" }] };
    expect(parse({ ...nulls, id: "a", query: "q", documents })).toEqual(plain);
    expect(parse({ id: "a", query: "q", documents: ["d"], top_n: 0 })).toEqual(plain);
  });

  it("takes its id from the caller if it names none", () => {
    expect(parseRequest({ query: "q", documents: [] }, LIMITS, 9, "job-1").id).toBe("job-1");
    expect(refusal({ query: "q", documents: [] })).toMatchObject({ field: "id" });
  });

  it("may have exactly the size of each limit", () => {
    const documents = ["d".repeat(20), "d", { text: "d".repeat(20) }];
    expect(parse({ id: "a", query: "q".repeat(10), documents }, 1_000).documents).toHaveLength(3);
  });

  it.each([
    ["query", { query: "q".repeat(11) }, "11 characters", "10", "maxQueryChars"],
    [
      "documents[1]",
      { documents: ["", "d".repeat(21)] },
      "21 characters",
      "20",
      "maxDocumentChars",
    ],
    [
      "documents[0].text",
      { documents: [{ text: "d".repeat(22) }] },
      "22 characters",
      "20",
      "maxDocumentChars",
    ],
    ["documents", { documents: ["", "", "", ""] }, "4 documents", "3", "maxDocuments"],
  ])(
    "is refused over a limit by field, value, limit and option: %s",
    (field, part, value, limit, option) => {
      const error = refusal({ id: "a", query: "q", documents: [], ...part });
      expect(error).toMatchObject({
        code: "limit_exceeded",
        field,
        limit: { name: option, max: Number(limit), value: Number.parseInt(value, 10) },
      });
      expect(error.message).toContain(
        `${field}: has ${value}, over the limit of ${limit} (${option})`,
      );
    },
  );

  it("is measured in bytes before anything else", () => {
    expect(refusal("nonsense", 1_001)).toMatchObject({
      code: "limit_exceeded",
      field: "job",
      message: "the job has 1001 bytes, over the limit of 1000 (maxJobBytes)",
    });
  });

  it.each([
    [{ id: "a", documents: [] }, "query", /^query: is missing \(string expected\)$/],
    [{ id: "a", query: "q" }, "documents", /^documents: is missing \(array expected\)$/],
    [{ id: "a", query: " \n", documents: [] }, "query", /must not be empty/],
    [{ id: "a", query: 7, documents: [] }, "query", /: must be a string, not a number$/],
    [{ id: "", query: "q", documents: [] }, "id", /^id: /],
    [{ id: "a".repeat(513), query: "q", documents: [] }, "id", /512/],
    [{ id: "a", query: "q", documents: "d" }, "documents", /: must be a list, not a string$/],
    [{ id: "a", query: "q", documents: ["d", 5] }, "documents[1]", /a string or \{id\?, text\}/],
    [{ id: "a", query: "q", documents: [{ id: "x" }] }, "documents[0].text", /is missing/],
    [{ id: "a", query: "q", documents: [], top_n: 1.5 }, "top_n", /: must be a whole number$/],
    [{ id: "a", query: "q", documents: [], top_n: -1 }, "top_n", /: must be at least 0$/],
    [
      { id: "a", query: "q", documents: [], metadata: [1] },
      "metadata",
      /: must be an object, not a list$/,
    ],
    [[], "the record", /must be an object, not a list$/],
    [null, "the record", /must be an object, not null$/],
  ])("is refused by field if it is malformed: %j", (value, field, message) => {
    expect(refusal(value)).toMatchObject({ field, message: expect.stringMatching(message) });
  });
});

describe("the canonical form", () => {
  it("is the same for equal requests, however they were written", () => {
    const one = parse({ id: "a", query: "q", documents: ["d", { id: "x", text: "e" }], top_n: 0 });
    const other = parse({
      documents: [{ text: "d" }, { text: "e", id: "x" }],
      metadata: null,
      query: "q",
      custom_id: "a",
    });
    expect(JSON.stringify(toWireRequest(one))).toBe(JSON.stringify(toWireRequest(other)));
    expect(parse(toWireRequest(one))).toEqual(one);
  });
});

describe("the published schema", () => {
  it("states the limits, the optional fields and the parts of a ranking", () => {
    const { request, ranking } = jsonSchemas() as {
      request: { required: string[]; properties: Record<string, { maxLength?: number }> };
      ranking: { required: string[]; properties: Record<string, unknown> };
    };
    expect(request.required).toEqual(["query", "documents"]);
    expect(request.properties["query"]?.maxLength).toBe(DEFAULT_LIMITS.maxQueryChars);
    expect(ranking.required).toEqual(["id", "model", "results", "usage"]);
    expect(Object.keys(ranking.properties)).toContain("errors");
  });
});
