/** A run's figures at one moment; they only grow, unless records are tried again. */
export interface SpeedSample {
  readonly atMs: number;
  /** Records that have ended, done or failed. */
  readonly ended: number;
  readonly pairs: number;
  readonly tokens: number;
}

/** The speed of a run, measured over its last samples. */
export interface RunSpeed {
  readonly recordsPerSecond: number;
  readonly pairsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Time over which that was measured. */
  readonly overSeconds: number;
}

/** Speed is not told from less: a batch that ends would look like a sprint. */
export const MIN_PACE_SPAN_MS = 1_000;
/** Speed is that of the last half minute: an average since the start hides a stall. */
export const SPEED_WINDOW_MS = 30_000;

/**
 * @param samples in order of time
 * @returns undefined if they lie too close together to tell
 */
export function speedOf(
  samples: readonly SpeedSample[],
  minWindowMs: number,
): RunSpeed | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const from = samples.findLastIndex((sample, i) => sample.ended < (samples[i - 1]?.ended ?? 0));
  const first = samples
    .slice(Math.max(0, from))
    .find((sample) => last.atMs - sample.atMs <= SPEED_WINDOW_MS);
  if (first === undefined || last.atMs - first.atMs < minWindowMs) return undefined;
  const overSeconds = (last.atMs - first.atMs) / 1000;
  if (overSeconds <= 0) return undefined;
  return {
    recordsPerSecond: (last.ended - first.ended) / overSeconds,
    pairsPerSecond: (last.pairs - first.pairs) / overSeconds,
    tokensPerSecond: (last.tokens - first.tokens) / overSeconds,
    overSeconds,
  };
}

/** @returns undefined if that cannot be known: no speed, or none yet */
export function secondsLeft(open: number, pace: RunSpeed | undefined): number | undefined {
  if (open <= 0) return 0;
  if (pace === undefined || pace.recordsPerSecond <= 0) return undefined;
  return open / pace.recordsPerSecond;
}
