import type { RunCounts } from "../../core/run-counts.js";
import { secondsLeft, speedOf, type SpeedSample } from "../../core/run-speed.js";
import type { RunFigures } from "../../telemetry/metrics/run-metrics.js";

/** Interval at which the run's speed is measured. */
export const SAMPLE_INTERVAL_MS = 2_000;

/** Figures of each run that is owned, by its id. */
export type OwnedFigures = Map<string, () => RunFigures>;

/** The metrics of a run that is fed. */
export function figuresOf(
  run: string,
  model: string,
  total: number,
  { done, failed, pairs }: Readonly<RunCounts>,
  prepared: { readonly records: number; readonly pairs: number },
  samples: readonly SpeedSample[],
): RunFigures {
  const remaining = Math.max(0, total - done - failed);
  // A document in windows is several pairs, which is known only once they were scored.
  const [records, counted] = done > 0 ? [done, pairs] : [prepared.records, prepared.pairs];
  return {
    run,
    model,
    recordsDone: done,
    recordsFailed: failed,
    recordsRemaining: remaining,
    pairsRemaining: records === 0 ? undefined : (counted / records) * remaining,
    secondsRemaining: secondsLeft(remaining, speedOf(samples, SAMPLE_INTERVAL_MS)),
  };
}
