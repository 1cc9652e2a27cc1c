import type { JobEnd } from "../core/job.js";
import type { JobQueue } from "../core/ports/job-queue.js";
import type { ResultStore } from "../core/ports/result-store.js";

/** The state of a job that somebody waits for. */
export type JobFate =
  | { readonly status: "ended"; readonly record: JobEnd }
  /** The job is in the queue or in a worker's hands: wait. */
  | { readonly status: "under-way" }
  /** Neither in the queue nor ended: nobody will ever work on it unless it is enqueued again. */
  | { readonly status: "lost" };

/**
 * Compares what somebody waits for with queue and result store, so that no run can wait for ever.
 *
 * The queue is asked first: a job writes its record before it leaves the queue, so one that is in
 * neither at that moment is truly lost.
 *
 * @returns one fate a job id, in order
 */
export async function reconcile(
  jobIds: readonly string[],
  queue: JobQueue,
  results: ResultStore,
): Promise<JobFate[]> {
  const states = await queue.states(jobIds);
  const records = await results.read(jobIds);
  return jobIds.map((_, i): JobFate => {
    const record = records[i];
    if (record !== undefined) return { status: "ended", record };
    return { status: states[i] === "queued" ? "under-way" : "lost" };
  });
}

/** Times a lost job is enqueued again before it is recorded as failed. */
export const MAX_REQUEUES = 5;
