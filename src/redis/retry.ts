/** Attempts of one job before it is recorded as failed. */
export const MAX_ATTEMPTS = 5;

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/**
 * Exponential backoff with full jitter on its upper half: attempt n waits between half and all of
 * 1 s × 2^(n−1), at most a minute.
 *
 * @param attempt attempts made so far, from 1
 * @param random 0 … 1, given by the caller
 */
export function retryDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}
