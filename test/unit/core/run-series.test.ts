import { describe, expect, it } from "vitest";
import {
  EMPTY_SERIES,
  FIRST_INTERVAL_SECONDS,
  MOST_POINTS,
  speedsOf,
  withPoint,
  type RunSeries,
} from "../../../src/core/run-series.js";

/** A run that ranks ten pairs per second, looked at every second. */
function seriesOver(seconds: number): RunSeries {
  let series = EMPTY_SERIES;
  for (let second = 0; second <= seconds; second += 1) {
    const point = { atMs: second * 1_000, ended: second, failed: 0, pairs: second * 10 };
    series = withPoint(series, point, false);
  }
  return series;
}

describe("the course of a run", () => {
  it("is put down once per interval, however often it is told", () => {
    const { points } = seriesOver(60);
    expect(points).toHaveLength(1 + 60 / FIRST_INTERVAL_SECONDS);
  });

  it("keeps its first point and a bounded number of points, however long the run goes", () => {
    for (const seconds of [600, 3_000, 50_000]) {
      const { points, intervalSeconds } = seriesOver(seconds);
      expect(points.length).toBeLessThanOrEqual(MOST_POINTS);
      expect(points.length).toBeGreaterThanOrEqual(MOST_POINTS / 2);
      expect(points[0]?.atMs).toBe(0);
      expect((points.at(-1)?.atMs ?? 0) / 1_000).toBeGreaterThan(seconds - 2 * intervalSeconds);
    }
  });

  it("tells the same speed at every resolution", () => {
    for (const seconds of [60, 5_000]) {
      for (const { pairsPerSecond } of speedsOf(seriesOver(seconds)))
        expect(pairsPerSecond).toBe(10);
    }
  });

  it("takes the last point of a run at once, but not twice", () => {
    const last = { atMs: 60_100, ended: 61, failed: 1, pairs: 600 };
    const series = withPoint(seriesOver(60), last, true);
    expect(series.points.at(-1)).toEqual(last);
    expect(withPoint(series, { ...last, atMs: 60_200 }, true)).toBe(series);
  });

  it("goes on when the clock was set back, and tells no speed of that moment", () => {
    const series = withPoint(
      seriesOver(60),
      { atMs: 10_000, ended: 62, failed: 0, pairs: 620 },
      false,
    );
    expect(series.points.at(-1)?.atMs).toBe(10_000);
    expect(speedsOf(series)).toHaveLength(60 / FIRST_INTERVAL_SECONDS);
  });

  it("tells no speed below zero when records are ranked anew", () => {
    const again = withPoint(seriesOver(10), { atMs: 20_000, ended: 0, failed: 0, pairs: 0 }, false);
    expect(speedsOf(again).at(-1)?.pairsPerSecond).toBe(0);
  });
});
