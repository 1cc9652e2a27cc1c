import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/core/contract.js";
import { readRecord, type InputRecord } from "../../../src/core/record.js";

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

  it("takes the run's topN only where it names none itself", () => {
    const records = read([good("a"), good("b", { top_n: 1 }), good("c", { top_k: 0 })], 7);
    const topN = records.map((record) => record.status === "valid" && record.request.topN);
    expect(topN).toEqual([7, 1, undefined]);
  });

  it("that is no JSON fails with its text", () => {
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
    "that is no request fails with its id and all of it: %j",
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
    "without a usable id fails without one: %j",
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

  it("counts where the earlier line was refused, or the later one is", () => {
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
