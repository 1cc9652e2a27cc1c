import { describe, expect, it } from "vitest";
import { activate } from "../../src/core/activation.js";
import { logitsOfRows, PLAIN_HEAD, whyNotNumbers } from "../../src/core/heads/head-use.js";
import { HEADS, headOf, type HeadKind } from "../../src/core/heads/registry.js";
import type { Head, HeadLabels } from "../../src/core/ports/head.js";

/** A pair as the model's authors score it. */
export interface ScoredRow extends Partial<HeadLabels> {
  readonly row: readonly number[];
  /** The score between 0 and 1. */
  readonly score: number;
}

/** A number that grows with relevance may be as large as this. */
const LARGE = 10_000;

/** The facts that hold of every head. A new one calls this with scores of its authors' code. */
export function testHead(
  head: Head & { readonly kind: HeadKind },
  examples: readonly ScoredRow[],
): void {
  describe(`the head ${head.kind}`, () => {
    const use = { ...PLAIN_HEAD, kind: head.kind };
    const cases = examples.map(({ row, score, ...labels }) => ({
      row: Float32Array.from(row),
      score,
      labels: { ...use, ...labels },
    }));
    const logit = (row: Float32Array, labels: HeadLabels): number => head.logit(row, labels);

    it("is registered under its kind", () => {
      expect(head.kind).toMatch(/^[a-z][a-z-]*$/);
      expect(HEADS).toContain(head);
      expect(headOf(head.kind)).toBe(head);
      expect(cases.length).toBeGreaterThan(0);
    });

    it("gives the scores of the model's authors", () => {
      for (const { row, score, labels } of cases) {
        expect(activate(logit(row, labels), "sigmoid")).toBeCloseTo(score, 6);
      }
    });

    it("grows with the number that means relevant, and stays finite", () => {
      for (const { row, labels } of cases) {
        const at = head.reads.includes("label") ? labels.label : 0;
        const before = logit(row, labels);
        for (const value of [LARGE, -LARGE]) {
          const changed = Float32Array.from(row);
          changed[at] = value;
          const after = logit(changed, labels);
          expect(Number.isFinite(after)).toBe(true);
          expect(Math.sign(after - before)).toBe(Math.sign(value));
        }
      }
    });

    it("gives no number for a row that is none", () => {
      for (const { row, labels } of cases) {
        expect(logit(row.fill(Number.NaN), labels)).toBeNaN();
      }
    });

    it("gives a row the same bits wherever it stands in a batch, scaled or not", () => {
      for (const { row, score: _, labels } of cases) {
        const length = row.length;
        const rows = [3, -1, 0.25].map((shift) => row.map((_value, i) => shift + i / 7));
        for (const scale of [1, 0.2]) {
          const scaled = { ...labels, scale };
          const alone = rows.map((one) => logitsOfRows(one, 1, scaled)[0]);
          const together = new Float32Array(rows.length * length);
          rows.forEach((one, i) => together.set(one, i * length));
          expect([...logitsOfRows(together, rows.length, scaled)]).toEqual(alone);
        }
      }
    });

    it("reads as many numbers as it says, and refuses others in one line", () => {
      const { least, most } = head.numbers;
      expect(whyNotNumbers(least, { ...use, label: 0 })).toBeUndefined();
      const wrong = [least - 1, most + 1].filter((count) => count > 0 && Number.isFinite(count));
      for (const count of wrong) expect(whyNotNumbers(count, use)).toMatch(/^[^\n]*rankmill\.json/);
    });

    it.each(head.reads)("refuses a graph without the label that it reads: %s", (name) => {
      const count = Math.max(head.numbers.least, 3);
      expect(whyNotNumbers(count, { ...use, [name]: count - 1 })).toBeUndefined();
      expect(whyNotNumbers(count, { ...use, [name]: count })).toContain(`correct "${name}"`);
    });
  });
}
