import { describe, expect, it } from "vitest";
import type { ScoringOptions } from "../../../src/core/job.js";
import { resolveScoring } from "../../../src/core/scoring.js";

const PLAIN: ScoringOptions = { maxLength: 512, truncation: "only-second" };

describe("scoring options", () => {
  it("truncate, read all of a document and give the activated score if nothing else is asked", () => {
    expect(resolveScoring(PLAIN)).toEqual({
      maxLength: 512,
      truncation: "only-second",
      longDocuments: "truncate",
      overlapTokens: 0,
      maxWindows: 1,
      maxTokensPerDoc: 0,
      score: "activated",
    });
  });

  it("hold an instruction only if one is given, so that other jobs keep their ids", () => {
    expect(resolveScoring(PLAIN)).not.toHaveProperty("instruction");
    expect(resolveScoring({ ...PLAIN, instruction: "find" })).toMatchObject({
      instruction: "find",
    });
    for (const instruction of ["", "  "]) {
      expect(() => resolveScoring({ ...PLAIN, instruction })).toThrow("instruction: is");
    }
    const long = { ...PLAIN, instruction: "x".repeat(4_097) };
    expect(() => resolveScoring(long)).toThrow("has 4097 characters, over the limit of 4096");
  });

  it("fill in the rest of what windows need, by the max length", () => {
    const windows = { ...PLAIN, longDocuments: "windows" } as const;
    expect(resolveScoring(windows)).toMatchObject({ overlapTokens: 64, maxWindows: 64 });
    expect(resolveScoring({ ...windows, maxLength: 40 })).toMatchObject({ overlapTokens: 10 });
    const chosen = { ...windows, overlapTokens: 0, maxWindows: 1_024 };
    expect(resolveScoring(chosen)).toMatchObject({ overlapTokens: 0, maxWindows: 1_024 });
  });

  it.each<ScoringOptions>([
    PLAIN,
    { score: "logit", longDocuments: "windows", truncation: "longest-first", maxLength: 64 },
  ])("once complete stay as they are, to the byte: %j", (options) => {
    const complete = resolveScoring(options);
    const shuffled = Object.fromEntries(Object.entries(complete).reverse()) as typeof complete;
    expect(JSON.stringify(resolveScoring(shuffled))).toBe(JSON.stringify(complete));
  });

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ maxLength: 0 }, "invalid_field", /^maxLength: is 0, not a whole number of at least 1$/],
    [{ truncation: "first" }, "invalid_field", /^truncation: is "first", not one of only-second/],
    [{ longDocuments: "chunks" }, "invalid_field", /^longDocuments: is "chunks", not one of/],
    [{ score: "raw" }, "invalid_field", /^score: is "raw", not one of activated, logit$/],
    [{ maxTokensPerDoc: -1 }, "invalid_field", /^maxTokensPerDoc: is -1/],
    [{ maxTokensPerDoc: 1.5 }, "invalid_field", /^maxTokensPerDoc: is 1.5/],
    [{ overlapTokens: 64 }, "invalid_field", /^overlapTokens: is 64, but .* are truncated/],
    [{ maxWindows: 4 }, "invalid_field", /^maxWindows: is 4, but .* are truncated/],
    [
      { longDocuments: "windows", overlapTokens: 257 },
      "limit_exceeded",
      /^overlapTokens: is 257, over the limit of 256/,
    ],
    [{ longDocuments: "windows", overlapTokens: -1 }, "invalid_field", /^overlapTokens: is -1/],
    [{ longDocuments: "windows", maxWindows: 0 }, "invalid_field", /^maxWindows: is 0/],
    [
      { longDocuments: "windows", maxWindows: 1_025 },
      "limit_exceeded",
      /^maxWindows: is 1025, over the limit of 1024/,
    ],
  ])("are refused with field, limit and value: %j", (wrong, code, message) => {
    const field = message.source.slice(1).split(":", 1)[0];
    expect(() => resolveScoring({ ...PLAIN, ...wrong })).toThrow(
      expect.objectContaining({ code, field, message: expect.stringMatching(message) }),
    );
  });
});
