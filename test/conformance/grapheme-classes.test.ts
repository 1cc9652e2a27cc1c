import { describe, expect, it } from "vitest";
import { graphemeClasses } from "../../src/tokenizers/kinds/unigram/grapheme-classes.js";
import { GraphemeProbe } from "../support/grapheme-probe.js";
import { asRanges } from "./tokenizer.data.js";

const CODE_POINTS = 0x110000;
/** Most scripts are below it. */
const DENSE_END = 0x3400;
const SPARSE_STEP = 101;
const FULL_SWEEP = process.env["RANKMILL_TEST_FULL_SWEEP"] === "1";

describe("the table of grapheme classes", () => {
  it("is the Rust library's", () => {
    const classes = graphemeClasses();
    const probe = new GraphemeProbe();
    const differing: number[] = [];
    let asked = 0;
    for (let point = 0; point < CODE_POINTS; point += 1) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const border = classes[point] !== classes[point - 1] || classes[point] !== classes[point + 1];
      const chosen = FULL_SWEEP || border || point < DENSE_END || point % SPARSE_STEP === 0;
      if (!chosen) continue;
      asked += 1;
      if (probe.classOf(point) !== classes[point]) differing.push(point);
    }
    expect(asRanges(differing)).toBe("");
    expect(asked).toBeGreaterThan(DENSE_END);
  });
});
