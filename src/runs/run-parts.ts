import type { JobQueue } from "../core/ports/job-queue.js";
import type { ResultStore } from "../core/ports/result-store.js";
import type { RunStore } from "../redis/run-store.js";

/** The stores of a run's info, its jobs and their results: all that one model's runs share. */
export interface RunParts {
  readonly store: RunStore;
  readonly queue: JobQueue;
  readonly results: ResultStore;
}

/** The name under which a run waits for its jobs. */
export function runOwner(run: string): string {
  return `run:${run}`;
}
