import type { Metrics } from "./registry.js";

/** The figures of a run that this runner owns. */
export interface RunFigures {
  readonly run: string;
  /** Tag of the model that scores it. */
  readonly model: string;
  readonly recordsDone: number;
  readonly recordsFailed: number;
  readonly recordsRemaining: number;
  /** Estimated from the pairs per record so far; undefined before the first. */
  readonly pairsRemaining: number | undefined;
  /** The time that is left at the speed of the last half minute; undefined while nothing moves. */
  readonly secondsRemaining: number | undefined;
}

/**
 * Shows the runs of a runner. Their ids are a label, but only those that it owns are shown: never
 * more than its `--max-runs`, and a run that is over vanishes.
 */
export function showRuns(metrics: Metrics, runs: () => readonly RunFigures[]): void {
  const ofRun = ["run", "model"] as const;
  const records = metrics.gauge("run_records", "Records of runs that this runner owns, by state", [
    ...ofRun,
    "state",
  ]);
  const pairs = metrics.gauge(
    "run_remaining_pairs",
    "Pairs that a run has yet to score, estimated from its records so far",
    ofRun,
  );
  const eta = metrics.gauge(
    "run_eta_seconds",
    "Time to a run's end at its speed of the last half minute; absent while nothing moves",
    ofRun,
  );
  const owned = metrics.gauge("runs_owned", "Runs that this runner owns", []);
  metrics.onScrape(() => {
    const now = runs();
    for (const gauge of [records, pairs, eta]) gauge.reset();
    owned.set(now.length);
    for (const { run, model, ...figures } of now) {
      records.set({ run, model, state: "done" }, figures.recordsDone);
      records.set({ run, model, state: "failed" }, figures.recordsFailed);
      records.set({ run, model, state: "remaining" }, figures.recordsRemaining);
      if (figures.pairsRemaining !== undefined) pairs.set({ run, model }, figures.pairsRemaining);
      if (figures.secondsRemaining !== undefined) eta.set({ run, model }, figures.secondsRemaining);
    }
  });
}

/** Shows the runs that this runner cannot work on: those that stopped, and those that it gave up. */
export function showStops(
  metrics: Metrics,
  counts: () => { readonly stopped: number; readonly givenUp: number },
): void {
  const runs = metrics.gauge(
    "runs_stopped",
    "Runs that stopped by an error: tried again after a pause, or given up until they are retried",
    ["state"],
  );
  metrics.onScrape(() => {
    const { stopped, givenUp } = counts();
    runs.set({ state: "tried_again" }, stopped);
    runs.set({ state: "given_up" }, givenUp);
  });
}
