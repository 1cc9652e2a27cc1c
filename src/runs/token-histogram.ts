/** Pairs whose encoded length lies from `from` to `to` tokens, both included. */
export interface HistogramRow {
  readonly from: number;
  /** Undefined in the last row: longer than the model reads. */
  readonly to: number | undefined;
  readonly pairs: number;
}

/** Rows up to the max length; the one after them holds what is longer. */
const ROWS = 8;
const BAR_CHARS = 40;

/**
 * Counts encoded lengths in eight rows up to `maxLength` and one beyond it.
 *
 * @param lengths tokens of each pair, special tokens included, before any truncation
 */
export function tokenHistogram(lengths: readonly number[], maxLength: number): HistogramRow[] {
  const width = Math.ceil(maxLength / ROWS);
  const rows: HistogramRow[] = [];
  for (let from = 1; from <= maxLength; from += width) {
    const to = Math.min(maxLength, from + width - 1);
    rows.push({ from, to, pairs: count(lengths, from, to) });
  }
  rows.push({
    from: maxLength + 1,
    to: undefined,
    pairs: count(lengths, maxLength + 1, Infinity),
  });
  return rows;
}

/** One line per row: range, bar, share. */
export function drawHistogram(rows: readonly HistogramRow[]): string[] {
  const most = Math.max(1, ...rows.map(({ pairs }) => pairs));
  const all = Math.max(
    1,
    rows.reduce((sum, { pairs }) => sum + pairs, 0),
  );
  const labels = rows.map(({ from, to }) =>
    to === undefined ? `over ${from - 1}` : `${from}–${to}`,
  );
  const width = Math.max(...labels.map((label) => label.length));
  return rows.map(({ pairs }, index) => {
    // A row that holds anything at all shows it.
    const bar = "█".repeat(pairs === 0 ? 0 : Math.max(1, Math.round((pairs / most) * BAR_CHARS)));
    const share = `${((100 * pairs) / all).toFixed(1)} %`;
    return `${(labels[index] ?? "").padStart(width)}  ${bar.padEnd(BAR_CHARS)} ${share.padStart(7)}`;
  });
}

function count(lengths: readonly number[], from: number, to: number): number {
  return lengths.filter((length) => length >= from && length <= to).length;
}
