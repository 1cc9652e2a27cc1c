/** A run's figures at one moment; they only grow, unless records are tried again. */
export interface SeriesPoint {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Records that have ended, done or failed. */
  readonly ended: number;
  readonly failed: number;
  readonly pairs: number;
}

/** The course of a run from its first record on, in a fixed number of points however long it takes. */
export interface RunSeries {
  /** Least time between two points. */
  readonly intervalSeconds: number;
  readonly points: readonly SeriesPoint[];
}

/** Points of a series; if it is full, every second one goes and the rest lie twice as far apart. */
export const MOST_POINTS = 120;
/** The interval of a new series: nothing is put down more often. */
export const FIRST_INTERVAL_SECONDS = 5;

export const EMPTY_SERIES: RunSeries = { intervalSeconds: FIRST_INTERVAL_SECONDS, points: [] };

/**
 * The series with one more point; the same one if the last point is too new.
 *
 * @param isLast whether the run is over: its last point counts, however soon it comes
 */
export function withPoint(series: RunSeries, point: SeriesPoint, isLast: boolean): RunSeries {
  const { intervalSeconds, points } = series;
  const before = points.at(-1);
  if (before !== undefined) {
    // A clock that was set back must not end the series.
    const isTooNew = Math.abs(point.atMs - before.atMs) < intervalSeconds * 1_000;
    if (isTooNew && !isLast) return series;
    if (isTooNew && before.ended === point.ended && before.pairs === point.pairs) return series;
  }
  if (points.length < MOST_POINTS) return { intervalSeconds, points: [...points, point] };
  const kept = points.filter((_, place) => place % 2 === 0);
  return { intervalSeconds: intervalSeconds * 2, points: [...kept, point] };
}

/** The speed between two points. */
export interface SeriesSpeed {
  readonly fromMs: number;
  readonly toMs: number;
  readonly pairsPerSecond: number;
}

/** Speeds from point to point; records that are tried again count as they are ranked, and never below zero. */
export function speedsOf({ points }: RunSeries): SeriesSpeed[] {
  return points.flatMap((point, place) => {
    const before = points[place - 1];
    if (before === undefined || point.atMs <= before.atMs) return [];
    const seconds = (point.atMs - before.atMs) / 1_000;
    const pairsPerSecond = Math.max(0, point.pairs - before.pairs) / seconds;
    return [{ fromMs: before.atMs, toMs: point.atMs, pairsPerSecond }];
  });
}
