import { describe, expect, it } from "vitest";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";

const NEVER = new Promise<never>(() => undefined);
/** Longer than any test may take. */
const LONG_MS = 3_600_000;

describe("a wait with a bound", () => {
  it("gives the value of a promise that settles in time", async () => {
    await expect(waitAtMost(Promise.resolve(7), LONG_MS)).resolves.toEqual({
      status: "settled",
      value: 7,
    });
  });

  it("is over when the bound is reached", async () => {
    await expect(waitAtMost(NEVER, 1)).resolves.toEqual({ status: "late" });
  });

  it("rejects as the promise does, and hears nothing of a rejection that comes later", async () => {
    await expect(waitAtMost(Promise.reject(new Error("no")), LONG_MS)).rejects.toThrow("no");
    const end = new AbortController();
    const slow = new Promise<never>((_, fail) => {
      end.signal.addEventListener("abort", () => fail(new Error("too late")));
    });
    await expect(waitAtMost(slow, 1)).resolves.toEqual({ status: "late" });
    // An unhandled rejection would fail the whole file.
    end.abort();
    await new Promise((resolve) => setImmediate(resolve));
  });
});
