import { describe, expect, it } from "vitest";
import {
  DEFAULT_LIMITS,
  parseRequest,
  rankingLine,
  toWireRequest,
} from "../../../src/core/contract.js";
import {
  failureLine,
  parseFailure,
  readRecord,
  type InputRecord,
} from "../../../src/core/record.js";
import { converterOf } from "../../../src/inputs/formats/registry.js";

/** Reads lines as one file. */
function read(lines: readonly unknown[], defaultTopN?: number): InputRecord[] {
  const ids = new Set<string>();
  const seen = (id: string): boolean => {
    const known = ids.has(id);
    ids.add(id);
    return known;
  };
  return lines.map((line, index) => {
    const text = typeof line === "string" ? line : JSON.stringify(line);
    return readRecord(index + 1, text, text.length, DEFAULT_LIMITS, defaultTopN, seen);
  });
}

function good(id: string, rest: object = {}): object {
  return { id, query: "q", documents: ["d"], ...rest };
}

describe("a line of input", () => {
  it.each([
    [{ qurey: "q", documents: ["d"] }, '; is it what "qurey" holds?'],
    [{ query: "q", documnets: ["d"] }, '; is it what "documnets" holds?'],
    [{ documents: ["d"], colour: "q" }, "query: is missing (string expected)"],
  ])("%j names the field that was meant, if one has almost its name", (line, end) => {
    const [record] = read([{ id: "a", ...line }]);
    const reason = expect.stringContaining(end);
    expect(record).toMatchObject({ status: "invalid", failure: { reason } });
  });

  it("becomes a request with its number and size, and names what it ignores", () => {
    const line = good("a", { color: 1, model: "x" });
    expect(read([line])).toEqual([
      {
        status: "valid",
        line: 1,
        request: { id: "a", query: "q", documents: [{ text: "d" }] },
        bytes: JSON.stringify(line).length,
        ignoredFields: ["color", "model"],
      },
    ]);
  });

  it("takes the run's topN only if it names none itself", () => {
    const records = read([good("a"), good("b", { top_n: 1 }), good("c", { top_k: 0 })], 7);
    const topN = records.map((record) => record.status === "valid" && record.request.topN);
    expect(topN).toEqual([7, 1, undefined]);
  });

  it.each([
    ['{"id":"a","id":"b","query":"q","documents":["d"]}', "id"],
    ['{"id":"a","query":"q","documents":["d"],"\\u0071uery":"r"}', "query"],
    ['{"query":"q","pos":["p"],"neg":[],"pos":["n"]}', "pos"],
    ['{"id":"a","query":"q","documents":["{",{"text":"d","text":"e"}]}', "documents\\[1\\].text"],
    ['{"custom_id":"a","body":{"query":"q","documents":[],"query":"r"}}', "body.query"],
  ])("fails if it names a member twice, with its text: %s", (line, name) => {
    const [record] = read([line]);
    expect(record).toMatchObject({
      status: "invalid",
      failure: {
        code: "invalid_field",
        reason: expect.stringMatching(new RegExp(`^${name}: stands twice`)),
      },
    });
    expect(record).not.toHaveProperty("failure.id");
  });

  it("fails alone if lists and objects stand within each other too often", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    for (const line of [
      `{"id":"a","query":"q","documents":["d"],"metadata":{"x":${deep}}}`,
      `{"id":"a","query":"q","documents":${deep}}`,
      `{"query":"q","pos":${deep},"neg":[]}`,
      `{"x":${deep}}`,
    ]) {
      const [record, next] = read([line, good("b")]);
      expect(record).toMatchObject({ failure: { line: 1, code: "limit_exceeded" } });
      expect(JSON.stringify(record)).toContain("256 levels");
      expect(next).toMatchObject({ status: "valid" });
    }
  });

  it("may name a member again in another object", () => {
    const line =
      '{"id":"a","query":"id","documents":[{"id":"a","text":"id"}],"metadata":{"id":"a","b":1,"b":2}}';
    expect(read([line])).toMatchObject([{ status: "valid" }]);
  });

  it("fails with its text if it is no JSON", () => {
    expect(read(['{"id": '])).toMatchObject([
      {
        failure: {
          line: 1,
          code: "invalid_json",
          reason: expect.stringContaining("not JSON"),
          input: '{"id": ',
        },
      },
    ]);
  });

  it.each([[{ id: "a" }], [{ custom_id: "a", documents: [] }]])(
    "fails with its id and its whole text if it is no request: %j",
    (line) => {
      expect(read([line])).toEqual([
        {
          status: "invalid",
          failure: expect.objectContaining({
            line: 1,
            id: "a",
            code: "invalid_field",
            input: line,
          }),
        },
      ]);
    },
  );

  it.each([[[1]], [7], [null], [{ id: 7 }]])(
    "fails without an id if it has no usable one: %j",
    (line) => {
      const [record] = read([line]);
      expect(record).toMatchObject({ status: "invalid", failure: { line: 1, input: line } });
      expect(record).not.toHaveProperty("failure.id");
    },
  );
});

describe("an id that an earlier line has used", () => {
  it("is an error of the later line, which is not named by it", () => {
    const [first, second] = read([good("a"), good("a", { query: "another" })]);
    expect(first?.status).toBe("valid");
    expect(second).toMatchObject({
      failure: { line: 2, code: "duplicate_id", input: { query: "another" } },
    });
    expect(second).not.toHaveProperty("failure.id");
  });

  it("counts even if the earlier line or the later one was refused", () => {
    const records = read([{ id: "a" }, good("a"), good("b"), { id: "b" }]);
    expect(
      records.map((record) => (record.status === "valid" ? "ok" : record.failure.code)),
    ).toEqual(["invalid_field", "duplicate_id", "ok", "invalid_field"]);
    const named = records.flatMap((record) => {
      const id = record.status === "valid" ? record.request.id : record.failure.id;
      return id === undefined ? [] : [id];
    });
    expect(named).toEqual(["a", "b"]);
  });
});

describe("values that a parser would alter", () => {
  const raw = '{"tweet_id": 1234567890123456789, "x": 1e400, "__proto__": {"a": 1}}';
  const kept = '{"tweet_id":1234567890123456789,"x":1e400,"__proto__":{"a":1}}';

  it("are kept as text in metadata, wherever a format has them", () => {
    const documents = '"query":"q","documents":["d"]';
    const [own] = read([`{"id":"a",${documents},"metadata":${raw}}`]);
    expect(own).toMatchObject({ status: "valid", request: { metadataText: kept } });
    const toRequest = converterOf("auto");
    const line = `{"custom_id":"b","body":{"metadata":${raw},${documents}},"x":{"metadata":{}}}`;
    const body = readRecord(1, line, 1, DEFAULT_LIMITS, undefined, () => false, toRequest);
    expect(body).toMatchObject({ status: "valid", request: { metadataText: kept } });
    const [plain] = read([good("c", { metadata: { a: 1, b: ["é"] } })]);
    expect(plain).not.toHaveProperty("request.metadataText");
  });

  it("reach the ranking through the request, and no other text does", () => {
    const [record] = read([`{"id":"a","query":"q","documents":["d"],"metadata":${raw}}`]);
    if (record?.status !== "valid") throw new Error("the record is not valid");
    const wire = JSON.stringify(toWireRequest(record.request));
    const request = parseRequest(JSON.parse(wire), DEFAULT_LIMITS, wire.length);
    const ranking = {
      id: "a",
      model: "m",
      results: [],
      usage: { pairs: 1, tokens: 1, truncated: 0 },
      metadata: { ...request.metadata },
    };
    const line = rankingLine(ranking, request.metadataText);
    expect(line.endsWith(`,"metadata":${kept}}`)).toBe(true);
    expect(JSON.parse(line)).toHaveProperty("usage.pairs", 1);
    for (const text of ['{"a":1}\n{"id":"forged"}', "[1]", '{"a":1}}', '"x"', ""]) {
      const forged = { ...toWireRequest(request), metadata_json: text };
      expect(() => parseRequest(forged, DEFAULT_LIMITS, 1)).toThrow("metadata_json");
    }
  });

  it("are kept in a failure, and in the record that is read from it", () => {
    const line = `{"id":"a","n":1234567890123456789}`;
    const [record] = read([line]);
    if (record?.status !== "invalid") throw new Error("the record is valid");
    const written = failureLine(record.failure);
    expect(written).toContain(`"input":${line}}`);
    expect(failureLine(parseFailure(written))).toBe(written);
  });
});

describe("fields of documents that nothing reads", () => {
  it("are named, each once", () => {
    const documents = [
      "text",
      { id: "d", text: "t", title: "T" },
      { text: "t", title: "U", _id: "x" },
    ];
    expect(read([good("a", { documents })])[0]).toMatchObject({
      ignoredFields: ["documents[].title", "documents[]._id"],
    });
  });
});
