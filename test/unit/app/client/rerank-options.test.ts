/** Requests of callers without types. */
import { describe, expect, it } from "vitest";
import { checkCall, checkMs } from "../../../../src/app/client/call-options.js";
import { readRequest } from "../../../../src/app/client/rerank-options.js";
import { DEFAULT_LIMITS } from "../../../../src/core/contract.js";

const REQUEST = { model: "builtin-bm25", query: "mill", documents: ["the mill", "a river"] };

function read(wrong: object): unknown {
  return readRequest({ ...REQUEST, ...wrong }, DEFAULT_LIMITS);
}

function cyclic(): object {
  const own: { self?: object } = {};
  own.self = own;
  return own;
}

describe("a request of a caller without types", () => {
  it.each([
    [{ model: undefined }, "model: is undefined, not a name and not {name, revision, precision}"],
    [{ model: "" }, 'model: is "", not a name'],
    [{ model: { name: "m" } }, "model: is [object Object], not a name"],
    [{ query: 7 }, "query: "],
    [{ query: " " }, "query: must not be empty"],
    [{ documents: "one text" }, "documents: "],
    [{ documents: [{ title: "t" }] }, "documents[0].text: is missing"],
    [{ metadata: "none" }, "metadata: "],
    [{ metadata: cyclic() }, "cannot be written as JSON"],
    [{ priority: "high" }, 'priority: is "high", not one of interactive, bulk'],
    [{ top_n: 3 }, "top_n: is called topN here"],
    [{ topn: 3 }, "topn: is called topN here"],
    [{ max_length: 64 }, "max_length: is called maxLength here"],
  ])("is refused in case %#, and the message names the field", (wrong, message) => {
    expect(() => read(wrong)).toThrow(message);
  });

  it("may carry fields of the caller's own", () => {
    expect(read({ page: 12, source: "wiki" })).toMatchObject({ request: { query: "mill" } });
  });
});

describe("the bounds on a call", () => {
  it.each([-1, NaN, Infinity, 2 ** 31, "5" as unknown as number])(
    "refuse %s as a number of milliseconds",
    (timeoutMs) => {
      expect(() => checkCall({ timeoutMs })).toThrow("timeoutMs: is");
    },
  );

  it("refuse a signal that is no AbortSignal", () => {
    const signal = { aborted: false } as AbortSignal;
    expect(() => checkCall({ signal })).toThrow("signal: is no AbortSignal");
  });

  it("take 0 and the longest time", () => {
    expect(() => checkMs("timeoutMs", 0)).not.toThrow();
    expect(() => checkCall({ timeoutMs: 2 ** 31 - 1 })).not.toThrow();
  });
});
