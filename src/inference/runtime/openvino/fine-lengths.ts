/** Tokens between two lengths, at the least. */
const LEAST_STEP = 8;
/** Above, a step is this share of the length before it: padding stays under it. */
const STEP_SHARE = 1 / 32;

/**
 * Lengths that are close together: padding to them costs 3 % at the most beyond 256 tokens, and there are few
 * enough for a runtime that keeps some memory for every length it has met.
 *
 * @param highest tokens of the longest pair: the last length, for it may be no step
 */
export function fineLengths(highest: number): readonly number[] {
  const lengths: number[] = [];
  let next = LEAST_STEP;
  while (next < highest) {
    lengths.push(next);
    const wanted = next * STEP_SHARE;
    next += LEAST_STEP * Math.max(1, Math.floor(wanted / LEAST_STEP));
  }
  return [...lengths, highest];
}
