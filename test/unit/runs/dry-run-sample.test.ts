import { describe, expect, it } from "vitest";
import type { InputRecord } from "../../../src/core/record.js";
import { sampleRecords } from "../../../src/runs/dry-run-sample.js";
import { drawHistogram, tokenHistogram } from "../../../src/runs/token-histogram.js";

async function* records(count: number, documentsEach: number): AsyncGenerator<InputRecord> {
  for (let line = 1; line <= count; line += 1) {
    const texts = Array.from({ length: documentsEach }, (_, i) => `${line}.${i}`);
    await Promise.resolve();
    yield {
      status: "valid",
      line,
      request: { id: `r${line}`, query: "q", documents: texts.map((text) => ({ text })) },
      bytes: 100,
      ignoredFields: [],
    };
    const failure = { line, code: "invalid_json", reason: "", input: "" };
    if (line % 10 === 0) yield { status: "invalid", failure };
  }
}

async function* longRecord(): AsyncGenerator<InputRecord> {
  await Promise.resolve();
  const request = { id: "a", query: "q", documents: [{ text: "x".repeat(1_000_000) }] };
  yield { status: "valid", line: 1, request, bytes: 1, ignoredFields: [] };
}

describe("surveyRecords", () => {
  it("counts all, and keeps all pairs of a small input in their order", async () => {
    const survey = await sampleRecords(records(20, 3), { storedBytes: async () => 70 });
    expect(survey).toMatchObject({
      records: 20,
      failed: 2,
      pairs: 60,
      requestBytes: 2000,
      meanStoredBytes: 70,
    });
    expect(survey.sample.map(({ document }) => document).slice(0, 4)).toEqual([
      "1.0",
      "1.1",
      "1.2",
      "2.0",
    ]);
  });

  it("draws evenly from a large one, the same each time, and measures few requests", async () => {
    let measured = 0;
    const survey = async () =>
      await sampleRecords(records(10_000, 5), {
        storedBytes: async () => {
          measured += 1;
          return 1;
        },
      });
    const { sample, pairs, failures } = await survey();
    expect(pairs).toBe(50_000);
    expect(failures).toHaveLength(5);
    expect(sample).toHaveLength(4_000);
    expect(new Set(sample.map(({ document }) => document)).size).toBe(4_000);
    expect(measured).toBeLessThan(2_000);
    // Four standard errors around the middle of a uniform draw.
    const middle = sample.reduce((sum, { document }) => sum + Number.parseInt(document), 0) / 4_000;
    expect(Math.abs(middle - 5_000)).toBeLessThan((4 * 10_000) / Math.sqrt(12 * 4_000));
    expect((await survey()).sample).toEqual(sample);
  });

  it("keeps the start of a text that is longer than any model reads", async () => {
    const { sample } = await sampleRecords(longRecord(), { storedBytes: async () => 1 });
    expect(sample[0]?.document).toHaveLength(65_536);
  });
});

describe("tokenHistogram", () => {
  it("puts every length into one row, the last one beyond the max length", () => {
    const rows = tokenHistogram([1, 64, 65, 511, 512, 513, 9_000], 512);
    expect(rows).toHaveLength(9);
    expect(rows.map(({ pairs }) => pairs)).toEqual([2, 1, 0, 0, 0, 0, 0, 2, 2]);
    expect(rows[8]).toEqual({ from: 513, to: undefined, pairs: 2 });
  });

  it("covers a max length that eight does not divide", () => {
    const lengths = Array.from({ length: 30 }, (_, i) => i + 1);
    for (const maxLength of [8, 9, 17, 30]) {
      const rows = tokenHistogram(lengths, maxLength);
      expect(rows.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(30);
      expect(rows.at(-2)?.to).toBe(maxLength);
    }
  });

  it("is drawn with a bar for every row that holds anything", () => {
    const lines = drawHistogram(tokenHistogram([...Array(1000).fill(5), 600] as number[], 512));
    expect(lines[0]).toContain("█".repeat(40));
    expect(lines[8]).toMatch(/^over 512 {2}█ +0\.1 %$/);
    expect(lines[1]).not.toContain("█");
    expect(drawHistogram(tokenHistogram([], 512))).toHaveLength(9);
  });
});
