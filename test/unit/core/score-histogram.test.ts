import { describe, expect, it } from "vitest";
import {
  addScore,
  emptyHistogram,
  mergedHistograms,
  MOST_BUCKETS,
  type ScoreHistogram,
} from "../../../src/core/score-histogram.js";

function histogramOf(scores: readonly number[]): ScoreHistogram {
  const histogram = emptyHistogram();
  for (const score of scores) addScore(histogram, score);
  return histogram;
}

const sum = ({ counts }: ScoreHistogram): number => counts.reduce((all, one) => all + one, 0);

/** Scores from a generator that always gives the same. */
function scores(count: number, from: number, to: number): number[] {
  let state = 42;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return from + (state / 2 ** 31) * (to - from);
  });
}

describe("a histogram of scores", () => {
  it("gives scores from 0 to 1 buckets of a thirty-second", () => {
    const { log2Width, first, counts } = histogramOf([0, 0.031, 0.5, 1]);
    expect([log2Width, first, counts.length]).toEqual([-5, 0, 33]);
    expect([counts[0], counts[16], counts[32]]).toEqual([2, 1, 1]);
  });

  it.each([
    [-12, 12],
    [0, 900],
    [-1e9, -1e8],
    [-0.001, 0.001],
  ])("keeps scores from %d to %d in a bounded number of buckets", (from, to) => {
    const given = scores(1_000, from, to);
    const histogram = histogramOf(given);
    expect(histogram.counts.length).toBeLessThanOrEqual(MOST_BUCKETS);
    expect(sum(histogram)).toBe(1_000);
    const width = 2 ** histogram.log2Width;
    histogram.counts.forEach((count, place) => {
      const least = (histogram.first + place) * width;
      const inside = given.filter((score) => score >= least && score < least + width);
      expect(inside).toHaveLength(count);
    });
  });

  it("takes any finite number, and leaves out NaN and infinity", () => {
    const histogram = histogramOf([Number.MAX_VALUE, -Number.MAX_VALUE, 0, NaN, Infinity]);
    expect(sum(histogram)).toBe(3);
    expect(histogram.counts.length).toBeLessThanOrEqual(MOST_BUCKETS);
  });

  it.each([
    [scores(100, 0, 1), scores(100, -10, 10)],
    [scores(100, -10, 10), scores(100, 0, 1)],
    [scores(100, 0, 1), []],
    [[], scores(100, 50, 60)],
    [scores(50, 0, 1), scores(50, 1_000, 1_001)],
  ])("is, merged with another, the histogram of both (%#)", (one, other) => {
    const left = histogramOf(one);
    const right = histogramOf(other);
    const before = structuredClone([left, right]);
    const merged = mergedHistograms(left, right);
    const direct = histogramOf([...one, ...other]);
    expect({ ...merged, first: merged.first }).toEqual(direct);
    expect([left, right]).toEqual(before);
  });
});
