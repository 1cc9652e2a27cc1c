import { describe, expect, it } from "vitest";
import type { RunRow } from "../../../../src/app/runs/list-rows.js";
import { ExampleBasket } from "../../../../src/app/runs/run-examples.js";
import { emptyHistogram, addScore } from "../../../../src/core/score-histogram.js";
import { failuresView, rankingsView } from "../../../../producers/page/examples-view.js";
import { formatDuration } from "../../../../producers/figures.js";
import { formatPercent, formatScore } from "../../../../producers/page/format.js";
import { histogramView } from "../../../../producers/page/histogram-view.js";
import { listView } from "../../../../producers/page/list-view.js";
import { Links } from "../../../../producers/page/shell.js";
import { speedView } from "../../../../producers/page/speed-view.js";

const NASTY = `"><script>alert(1)</script>`;
const WAYS = { submit: "rankmill submit" };
const ROW: RunRow = {
  id: "run-1",
  state: "submitted",
  model: NASTY,
  precision: "fp32",
  input: NASTY,
  createdAt: NASTY,
  total: 1_000,
  done: 900,
  failed: 99,
  stopped: 0,
  pairsPerSecond: 812.4,
  secondsLeft: 125,
};

function basketOf(withTexts: boolean): ExampleBasket {
  const basket = new ExampleBasket(withTexts);
  const results = [
    { index: 1, relevance_score: 0.9, logit: 2 },
    { index: 0, relevance_score: 0.1, logit: -2 },
  ];
  const usage = { pairs: 2, tokens: 9, truncated: 0 };
  const ranking = { id: NASTY, model: "m", results, usage, metadata: { secret: "of the house" } };
  const documents = [{ text: "a river" }, { text: `the mill ${NASTY}` }];
  basket.addRanking(JSON.stringify(ranking), () => ({ query: "where is it ground?", documents }));
  const input = "a line with a secret";
  const reason = `not JSON: Unexpected token 'a', "a line with"...`;
  for (let line = 1; line < 9; line += 1) {
    basket.addFailure({ line, code: "invalid_json", reason, input });
  }
  return basket;
}

describe("the pages of runs", () => {
  it("show no text of others as HTML", () => {
    const list = listView({ rows: [ROW], hasMore: true, isFirst: true }, new Links(""), WAYS).text;
    const rankings = rankingsView(basketOf(true), true).text;
    for (const html of [list, rankings]) {
      expect(html).not.toContain("<script>");
      expect(html).toContain("&lt;script&gt;");
    }
  });

  it("say how far a run is, and never that it is whole before it is", () => {
    const { text } = listView(
      { rows: [ROW], hasMore: true, isFirst: true },
      new Links("/ui"),
      WAYS,
    );
    for (const part of ["999 of 1,000 records", "99 %", "812", "2 min 5 s", "/ui?after=run-1"]) {
      expect(text).toContain(part);
    }
    expect(formatPercent(99_999, 100_000)).toBe("99 %");
    expect(formatPercent(0, 0)).toBe("0 %");
  });

  it("hide queries, documents, metadata and inputs unless they are allowed", () => {
    const hidden = basketOf(false);
    expect(JSON.stringify([hidden.rankings, [...hidden.failures.values()]])).not.toMatch(
      /ground|river|secret|a line/,
    );
    const counts = { invalid_json: 8, job_lost: 1 };
    const failures = failuresView(counts, hidden).text;
    expect(failures.match(/<li>/g)).toHaveLength(3);
    expect(failures).toContain("job_lost");
    expect(failuresView(counts, basketOf(true)).text).toContain("a line with a secret");
    expect(rankingsView(basketOf(true), true).text).toMatch(/ground.*the mill.*a river/s);
  });

  it("draw scores and speeds of any size", () => {
    for (const scores of [[0, 1], [-11, 12], [0, 1e9], [5]]) {
      const histogram = emptyHistogram();
      for (const score of scores) addScore(histogram, score);
      expect(histogramView(histogram).text).not.toMatch(/NaN|Infinity|undefined/);
    }
    for (const pairs of [0, 1, 3, 1e7]) {
      const points = [0, 1, 2].map((i) => ({
        atMs: i * 5_000,
        ended: i,
        failed: 0,
        pairs: i * pairs,
      }));
      const { text } = speedView({ intervalSeconds: 5, points });
      expect(text).toContain("<polyline");
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("show figures as people read them", () => {
    expect([0, 59.4, 3_600, 12_345, 200_000].map(formatDuration)).toEqual([
      "0 s",
      "59 s",
      "1 h",
      "3 h 25 min",
      "2 d 7 h",
    ]);
    expect([0, 0.5, 12.345, -0.03125, 1_000].map(formatScore)).toEqual([
      "0",
      "0.5",
      "12.3",
      "-0.031",
      "1000",
    ]);
  });
});
