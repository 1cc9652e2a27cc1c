import { describe, expect, it } from "vitest";
import {
  describeError,
  ERROR_CODES,
  isErrorCode,
  isRetryable,
  RankmillError,
  wordingOf,
  type ErrorCode,
} from "../../../src/core/errors.js";
import { option, wording } from "../../../src/core/wording.js";

describe("an attempt that failed", () => {
  it.each(
    (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => [code, ERROR_CODES[code].retried]),
  )("is tried again after %s: %s", (code, retried) => {
    expect(isRetryable(new RankmillError(code, "m"))).toBe(retried);
  });

  it("is tried again after an unknown error", () => {
    expect([isRetryable(new TypeError("x")), isRetryable("x")]).toEqual([true, true]);
  });

  it("has one of the codes of this version, and no other word counts as a code", () => {
    expect(isErrorCode("lane_failed")).toBe(true);
    expect(isErrorCode("usage")).toBe(false);
    expect(isErrorCode("toString")).toBe(false);
  });
});

describe("the record of an error", () => {
  it("has the error's own code, or internal", () => {
    expect(describeError(new RankmillError("timeout", "late"))).toEqual({
      code: "timeout",
      message: "late",
    });
    expect(describeError(new TypeError("odd"))).toEqual({ code: "internal", message: "odd" });
    expect(describeError(undefined)).toEqual({ code: "internal", message: "undefined" });
  });

  it("keeps field, limit, place, context and cause as data", () => {
    const cause = new Error("inner");
    const limit = { name: "maxDocuments", value: 7, max: 5, unit: "documents" };
    const details = { field: "documents", limit, place: "in.jsonl", context: { run: "r" } };
    const error = new RankmillError("limit_exceeded", "outer", { ...details, cause });
    expect(error).toMatchObject({ name: "RankmillError", message: "outer", ...details, cause });
    const plain = new RankmillError("conflict", "m");
    expect("cause" in plain).toBe(false);
    expect(plain).toMatchObject({ context: {}, field: undefined, limit: undefined });
  });
});

describe("a text that mentions options", () => {
  const text = wording`${option("device", "cuda")}: choose ${7}, or ${option("forceNew")}`;

  it("names them as the library does, unless it is asked to spell them otherwise", () => {
    expect(String(text)).toBe("device cuda: choose 7, or forceNew");
    expect(text.spelled((name) => `<${name}>`)).toBe("<device> cuda: choose 7, or <forceNew>");
  });

  it("stays data inside another text, and in an error", () => {
    const error = new RankmillError("conflict", wording`out: ${text}`);
    expect(error.message).toBe("out: device cuda: choose 7, or forceNew");
    expect(wordingOf(error).parts).toContainEqual({ option: "forceNew" });
    expect(String(wordingOf(new TypeError("odd")))).toBe("odd");
  });
});

it("a message is bounded, whatever the length of the value that it names", () => {
  const id = "x".repeat(1_000_000);
  for (const error of [
    new RankmillError("invalid_option", `run id "${id}": expected letters`),
    new RankmillError("invalid_option", wording`${option("run")} ${id}: expected letters`),
  ]) {
    expect(error.message.length).toBeLessThan(5_000);
    expect(String(error.wording)).toBe(error.message);
  }
});
