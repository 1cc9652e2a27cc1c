import type { BenchJob, Scored } from "./way.js";

/** Logits of fp32 may differ by the order in which kernels add, no more. */
export const LOGIT_TOLERANCE = 1e-3;

export interface Difference {
  /** Largest between two logits of one pair. */
  readonly logit: number;
  /** Jobs whose documents stand in another order, beyond what the tolerance allows. */
  readonly rankings: number;
}

/** The distance of `scored` from `reference`. */
export function compare(jobs: readonly BenchJob[], reference: Scored, scored: Scored): Difference {
  let logit = 0;
  let rankings = 0;
  for (const [j, job] of jobs.entries()) {
    const theirs = reference.logits[j] ?? [];
    const ours = scored.logits[j] ?? [];
    const differences = job.documents.map((_, d) =>
      Math.abs((theirs[d] ?? NaN) - (ours[d] ?? NaN)),
    );
    // NaN, a missing score, is as wrong as can be.
    logit = Math.max(
      logit,
      ...differences.map((value) => (Number.isNaN(value) ? Infinity : value)),
    );
    if (!sameRanking(theirs, ours)) rankings += 1;
  }
  return { logit, rankings };
}

/** True if walking down `ours` never meets a document that `theirs` has clearly higher. */
function sameRanking(theirs: readonly number[], ours: readonly number[]): boolean {
  const order = ours.map((_, d) => d).sort((a, b) => (ours[b] ?? 0) - (ours[a] ?? 0) || a - b);
  let lowest = Infinity;
  for (const d of order) {
    const value = theirs[d] ?? NaN;
    if (!(value <= lowest + 2 * LOGIT_TOLERANCE)) return false;
    lowest = Math.min(lowest, value);
  }
  return theirs.length === ours.length;
}
