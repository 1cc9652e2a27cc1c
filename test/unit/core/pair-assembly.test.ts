import { describe, expect, it } from "vitest";
import type { ScoringOptions } from "../../../src/core/job.js";
import { assemblePair, roomForText, type PairTemplate } from "../../../src/core/pair-assembly.js";

const BERT: PairTemplate = {
  prefix: [101],
  middle: [102],
  suffix: [102],
  segmentTypeIds: true,
  padId: 0,
};
const XLMR: PairTemplate = {
  prefix: [0],
  middle: [2, 2],
  suffix: [2],
  segmentTypeIds: false,
  padId: 1,
};
const only = (maxLength: number): ScoringOptions => ({ maxLength, truncation: "only-second" });
/** Query tokens are 1000, 1001, …; document tokens 5000, 5001, … */
const query = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => 1_000 + i);
const document = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => 5_000 + i);

function kept(
  template: PairTemplate,
  lengths: [query: number, document: number],
  options: ScoringOptions,
): [query: number, document: number] {
  const { ids } = assemblePair(template, query(lengths[0]), document(lengths[1]), options);
  const count = (from: number): number =>
    ids.filter((id) => id >= from && id < from + 4_000).length;
  return [count(1_000), count(5_000)];
}

describe("a pair that fits", () => {
  const options: ScoringOptions = { maxLength: 8, truncation: "only-second" };

  it("is query and document between the special tokens", () => {
    const pair = assemblePair(BERT, query(2), document(3), options);
    expect([...pair.ids]).toEqual([101, 1000, 1001, 102, 5000, 5001, 5002, 102]);
    expect(pair).toMatchObject({ secondStart: 4, truncated: false });
  });

  it("has one token type if the model knows one", () => {
    const pair = assemblePair(XLMR, query(2), document(1), options);
    expect([...pair.ids]).toEqual([0, 1000, 1001, 2, 2, 5000, 2]);
    expect(pair.secondStart).toBe(pair.ids.length);
  });

  it("may be without a query and without a document", () => {
    const pair = assemblePair(BERT, query(0), document(0), options);
    expect([...pair.ids]).toEqual([101, 102, 102]);
    expect(pair.truncated).toBe(false);
  });

  it("leaves the query's ids alone, which serve the job's other documents too", () => {
    const ids = query(6);
    assemblePair(BERT, ids, document(9), options);
    expect(ids).toEqual(query(6));
  });
});

describe("only-second", () => {
  it("cuts the document's tail and keeps the final separator", () => {
    const pair = assemblePair(BERT, query(2), document(100), only(8));
    expect([...pair.ids]).toEqual([101, 1000, 1001, 102, 5000, 5001, 5002, 102]);
    expect(pair.truncated).toBe(true);
  });

  it("keeps three quarters of maxLength of a query, rounded down", () => {
    expect(kept(BERT, [600, 600], only(512))).toEqual([384, 125]);
    expect(kept(XLMR, [600, 600], only(512))).toEqual([384, 124]);
    expect(kept(XLMR, [600, 600], only(511))).toEqual([383, 124]);
    expect(kept(XLMR, [383, 600], only(511))).toEqual([383, 124]);
    expect(kept(XLMR, [600, 3], only(511))).toEqual([383, 3]);
  });

  it("tells that it cut a query whose document is whole", () => {
    expect(assemblePair(XLMR, query(400), document(1), only(512)).truncated).toBe(true);
  });

  it("keeps special tokens and limit if hardly anything else fits", () => {
    expect(kept(XLMR, [600, 600], only(17))).toEqual([12, 1]);
    expect(kept(XLMR, [600, 600], only(16))).toEqual([12, 0]);
    expect(kept(XLMR, [600, 600], only(5))).toEqual([1, 0]);
    expect(kept(XLMR, [0, 600], only(5))).toEqual([0, 1]);
  });
});

describe("longest-first", () => {
  // The rows are what the Rust library gives, which the conformance suite compares on real texts.
  it.each([
    { lengths: [2, 100], maxLength: 13, expected: [2, 8] },
    { lengths: [100, 2], maxLength: 13, expected: [8, 2] },
    { lengths: [11, 12], maxLength: 13, expected: [5, 5] },
    { lengths: [11, 12], maxLength: 14, expected: [5, 6] },
    { lengths: [12, 11], maxLength: 14, expected: [6, 5] },
    { lengths: [8, 8], maxLength: 14, expected: [5, 6] },
    { lengths: [0, 100], maxLength: 13, expected: [0, 10] },
    { lengths: [5, 5], maxLength: 13, expected: [5, 5] },
  ])("keeps $expected of $lengths tokens at $maxLength", ({ lengths, maxLength, expected }) => {
    const [queryLength = 0, documentLength = 0] = lengths;
    const options: ScoringOptions = { maxLength, truncation: "longest-first" };
    expect(kept(BERT, [queryLength, documentLength], options)).toEqual(expected);
  });

  it("does not depend on how far texts beyond maxLength were read", () => {
    const options: ScoringOptions = { maxLength: 12, truncation: "longest-first" };
    const whole = kept(BERT, [50, 40], options);
    expect(kept(BERT, [13, 40], options)).toEqual(whole);
    expect(kept(BERT, [13, 13], options)).toEqual(whole);
  });
});

describe("a maxLength without room for text", () => {
  it("is an error that names the least that would do", () => {
    const assemble = (): unknown =>
      assemblePair(XLMR, query(1), document(1), { maxLength: 4, truncation: "only-second" });
    expect(assemble).toThrow(/maxLength: is 4 tokens.*at least 5/);
    expect(assemble).toThrow(expect.objectContaining({ code: "invalid_field" }));
    expect(roomForText(XLMR, 5)).toBe(1);
  });

  it("says that a shorter instruction helps if a prompt leaves no room", () => {
    const told: PairTemplate = { ...XLMR, prompt: { parts: [] } };
    expect(() => roomForText(told, 4)).toThrow(
      "prompt, with its instruction, takes 4: give at least 5, or a shorter instruction",
    );
  });
});
