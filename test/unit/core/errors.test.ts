import { describe, expect, it } from "vitest";
import { describeError, isRetryable, RankmillError } from "../../../src/core/errors.js";

describe("whether another attempt is worth it", () => {
  it.each(["lane_failed", "redis_unavailable", "timeout", "job_lost", "internal"] as const)(
    "yes after %s",
    (code) => {
      expect(isRetryable(new RankmillError(code, "m"))).toBe(true);
    },
  );

  it.each([
    ...(["invalid_json", "invalid_field", "limit_exceeded", "duplicate_id", "usage"] as const),
    ...(["model_unusable", "missing_dependency", "payload_missing", "cancelled"] as const),
  ])("no after %s", (code) => {
    expect(isRetryable(new RankmillError(code, "m"))).toBe(false);
  });

  it("yes after anything unknown", () => {
    expect([isRetryable(new TypeError("x")), isRetryable("x")]).toEqual([true, true]);
  });
});

describe("what is recorded of an error", () => {
  it("is its own code, or internal", () => {
    expect(describeError(new RankmillError("timeout", "late"))).toEqual({
      code: "timeout",
      message: "late",
    });
    expect(describeError(new TypeError("odd"))).toEqual({ code: "internal", message: "odd" });
    expect(describeError(undefined)).toEqual({ code: "internal", message: "undefined" });
  });

  it("keeps field and cause apart from the message", () => {
    const cause = new Error("inner");
    const error = new RankmillError("invalid_field", "outer", { field: "query", cause });
    expect(error).toMatchObject({ name: "RankmillError", field: "query", cause, message: "outer" });
    expect("cause" in new RankmillError("usage", "m")).toBe(false);
  });
});
