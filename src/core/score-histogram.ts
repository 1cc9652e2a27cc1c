/**
 * The spread of scores: counts of buckets of one width. The width is a power of two and buckets begin at its
 * multiples, so that two histograms can be added without an error.
 */
export interface ScoreHistogram {
  /** Binary logarithm of the width of a bucket. */
  log2Width: number;
  /** Number of the first bucket; its scores begin at `first` widths. */
  first: number;
  /** Scores per bucket; both ends have some. */
  counts: number[];
}

/** Buckets of a histogram; where more were needed, they become twice as wide. */
export const MOST_BUCKETS = 40;
/** Scores between 0 and 1 make 33 buckets. */
const NARROWEST_LOG2_WIDTH = -5;

export function emptyHistogram(): ScoreHistogram {
  return { log2Width: NARROWEST_LOG2_WIDTH, first: 0, counts: [] };
}

/** Counts one score; one that is no finite number is left out. */
export function addScore(histogram: ScoreHistogram, score: number): void {
  if (!Number.isFinite(score)) return;
  for (;;) {
    const bucket = Math.floor(score / 2 ** histogram.log2Width);
    if (addToBucket(histogram, bucket, 1)) return;
    widen(histogram);
  }
}

/** The sum of both, as wide as the wider one at least. */
export function mergedHistograms(one: ScoreHistogram, other: ScoreHistogram): ScoreHistogram {
  const sum = copyOf(one);
  const added = copyOf(other);
  while (sum.log2Width < added.log2Width) widen(sum);
  for (;;) {
    while (added.log2Width < sum.log2Width) widen(added);
    const last = added.first + added.counts.length - 1;
    if (added.counts.length === 0 || fits(sum, added.first, last)) break;
    widen(sum);
  }
  added.counts.forEach((count, i) => addToBucket(sum, added.first + i, count));
  return sum;
}

function copyOf({ log2Width, first, counts }: ScoreHistogram): ScoreHistogram {
  return { log2Width, first, counts: [...counts] };
}

function fits({ first, counts }: ScoreHistogram, from: number, to: number): boolean {
  if (counts.length === 0) return to - from < MOST_BUCKETS;
  return Math.max(first + counts.length - 1, to) - Math.min(first, from) < MOST_BUCKETS;
}

/** @returns false, and changes nothing, if that would be too many buckets */
function addToBucket(histogram: ScoreHistogram, bucket: number, count: number): boolean {
  if (!fits(histogram, bucket, bucket)) return false;
  if (histogram.counts.length === 0) histogram.first = bucket;
  for (; bucket < histogram.first; histogram.first -= 1) histogram.counts.unshift(0);
  const place = bucket - histogram.first;
  while (histogram.counts.length <= place) histogram.counts.push(0);
  histogram.counts[place] = (histogram.counts[place] ?? 0) + count;
  return true;
}

/** Makes each bucket twice as wide. */
function widen(histogram: ScoreHistogram): void {
  const { first, counts } = histogram;
  histogram.log2Width += 1;
  histogram.first = Math.floor(first / 2);
  histogram.counts = [];
  counts.forEach((count, i) => {
    const place = Math.floor((first + i) / 2) - histogram.first;
    histogram.counts[place] = (histogram.counts[place] ?? 0) + count;
  });
}
