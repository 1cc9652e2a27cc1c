/** Chooses among the ways to compute a model by what was measured of each. */

/** Figures of one way. */
export interface WayFigures {
  /** Largest difference of a logit from fp32's, as a share of the spread of fp32's logits. */
  readonly error: number;
  /** Pairs per second on this host, of all lanes. */
  readonly pairsPerSecond: number;
}

/**
 * The default of the largest error that is borne. A twentieth of the spread: weights in bytes and bf16 stay within it on
 * trained models, and so does int8 with a scale per row where it errs little; int8 with a scale per tensor does not
 * (test/bench/results/numbers.md). Documents whose logits lie further apart than twice the bound never change places.
 */
export const DEFAULT_MAX_SCORE_ERROR = 0.05;

/** A way that errs more must be this much faster: single measurements differ by some percent. */
const WORTH_IT = 1.1;

/**
 * The fastest way whose error is within the bound; of two that are about as fast the more exact one.
 *
 * @returns undefined if there is none
 */
export function fastestWithin<T extends WayFigures>(
  ways: readonly T[],
  maxScoreError: number,
): T | undefined {
  const exactFirst = ways
    .filter(({ error }) => error <= maxScoreError)
    .toSorted((a, b) => a.error - b.error);
  const [first, ...others] = exactFirst;
  if (first === undefined) return undefined;
  return others.reduce(
    (best, way) => (way.pairsPerSecond >= best.pairsPerSecond * WORTH_IT ? way : best),
    first,
  );
}
