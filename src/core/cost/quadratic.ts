/**
 * The cost of one batch of a transformer, in bytes or in milliseconds, by its shape:
 * `fixed + rows × length × (perToken + perSquare × length)`. The square is attention.
 */
export interface Quadratic {
  readonly fixed: number;
  readonly perToken: number;
  readonly perSquare: number;
}

/** One measured batch. `length` in tokens, padding included. */
export interface ShapeSample {
  readonly rows: number;
  readonly length: number;
  readonly value: number;
}

type Terms = readonly [number, number, number];

/** Subsets of the three terms; a fit uses the one that leaves the least error. */
const SUBSETS: readonly (readonly number[])[] = [[0, 1, 2], [1, 2], [0, 2], [0, 1], [2], [1], [0]];

export function quadraticAt(cost: Quadratic, rows: number, length: number): number {
  return cost.fixed + rows * length * (cost.perToken + cost.perSquare * length);
}

/**
 * Least squares with no term below zero: a negative one would make something cost less the larger
 * it is, as soon as one looks beyond what was measured.
 */
export function fitQuadratic(samples: readonly ShapeSample[]): Quadratic {
  const rows = samples.map(({ rows, length }): Terms => [1, rows * length, rows * length * length]);
  const values = samples.map(({ value }) => value);
  let best: { error: number; terms: readonly number[] } = {
    error: Number.POSITIVE_INFINITY,
    terms: [0, 0, 0],
  };
  for (const subset of SUBSETS) {
    const terms = solveSubset(rows, values, subset);
    if (terms === undefined || terms.some((term) => term < 0)) continue;
    const error = squaredError(rows, values, terms);
    if (error < best.error) best = { error, terms };
  }
  const [fixed = 0, perToken = 0, perSquare = 0] = best.terms;
  return { fixed, perToken, perSquare };
}

function squaredError(
  rows: readonly Terms[],
  values: readonly number[],
  terms: readonly number[],
): number {
  return rows.reduce((sum, row, index) => {
    const estimate = row.reduce((total, factor, term) => total + factor * (terms[term] ?? 0), 0);
    return sum + (estimate - (values[index] ?? 0)) ** 2;
  }, 0);
}

/** The normal equations of the terms in `subset`; undefined if the samples do not decide them. */
function solveSubset(
  rows: readonly Terms[],
  values: readonly number[],
  subset: readonly number[],
): number[] | undefined {
  const size = subset.length;
  // Columns differ by six orders of magnitude: scaled to 1, or the elimination loses the small ones.
  const scale = subset.map((term) => Math.max(...rows.map((row) => row[term] ?? 0), 0));
  if (rows.length < size || scale.some((largest) => largest === 0)) return undefined;
  const at = (row: Terms, column: number): number =>
    (row[subset[column] ?? 0] ?? 0) / (scale[column] ?? 1);
  const matrix = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) =>
      rows.reduce(
        (sum, row, k) => sum + at(row, i) * (j < size ? at(row, j) : (values[k] ?? 0)),
        0,
      ),
    ),
  );
  const solved = eliminate(matrix, size);
  if (solved === undefined) return undefined;
  const terms = [0, 0, 0];
  subset.forEach((term, column) => {
    terms[term] = (solved[column] ?? 0) / (scale[column] ?? 1);
  });
  return terms;
}

const SINGULAR = 1e-12;

/** Gauss with partial pivoting on `size` rows of `size + 1` columns. */
function eliminate(matrix: number[][], size: number): number[] | undefined {
  const cell = (row: number, column: number): number => matrix[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < size; pivot += 1) {
    let largest = pivot;
    for (let row = pivot + 1; row < size; row += 1) {
      if (Math.abs(cell(row, pivot)) > Math.abs(cell(largest, pivot))) largest = row;
    }
    if (Math.abs(cell(largest, pivot)) < SINGULAR) return undefined;
    [matrix[pivot], matrix[largest]] = [matrix[largest] ?? [], matrix[pivot] ?? []];
    for (let row = 0; row < size; row += 1) {
      if (row === pivot) continue;
      const factor = cell(row, pivot) / cell(pivot, pivot);
      matrix[row] = (matrix[row] ?? []).map(
        (value, column) => value - factor * cell(pivot, column),
      );
    }
  }
  return Array.from({ length: size }, (_, row) => cell(row, size) / cell(row, row));
}
