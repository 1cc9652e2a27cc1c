import type { NewJob } from "../core/job.js";
import type { ResultStore } from "../core/ports/result-store.js";
import { addCounts, emptyCounts, type RunCounts } from "../core/run-counts.js";
import type { RunInfo } from "../redis/run-info.js";
import { MAX_REQUEUES, reconcile } from "./reconcile.js";
import { countEnded, endedEntries, isJob, type JobEntry } from "./run-chunks.js";
import { runOwner, type RunParts } from "./run-parts.js";

/** The standing of a run after a turn. */
export interface ReconciledRun {
  readonly counts: RunCounts;
  /** Whether every open chunk was counted. */
  readonly isWhole: boolean;
  readonly over: boolean;
}

/**
 * Closes the chunks that are over; enqueues again what was lost, so that the run cannot wait for
 * ever, and records as failed what is lost again and again. Takes the first `maxChunks` open ones.
 *
 * @returns the figures of the run, less those of open chunks that were not taken; undefined: it is cancelled
 */
export async function reconcileRun(
  run: string,
  info: RunInfo,
  parts: RunParts,
  maxChunks: number,
): Promise<ReconciledRun | undefined> {
  const { store, results } = parts;
  if (info.state === "cancelled") return undefined;
  const closed = await store.closedChunks(run);
  const counts = emptyCounts();
  for (const one of closed.values()) addCounts(counts, one);
  const open = Array.from({ length: info.chunks }, (_, chunk) => chunk).filter(
    (chunk) => !closed.has(chunk),
  );
  let left = open.length;
  for (const chunk of open.slice(0, maxChunks)) {
    const ended = await endedEntries(await store.readChunk(run, chunk), info, results);
    const own = countEnded(ended);
    addCounts(counts, own);
    const waiting = ended.filter(({ end }) => end === undefined).map(({ entry }) => entry);
    if (waiting.length > 0) await requeueLost(run, waiting.filter(isJob), info, parts);
    else {
      await store.closeChunk(run, chunk, own, info.ttlSeconds);
      left -= 1;
    }
  }
  if (left === 0) await store.complete(run);
  return { counts, isWhole: open.length <= maxChunks, over: left === 0 };
}

async function requeueLost(
  run: string,
  waiting: readonly JobEntry[],
  info: RunInfo,
  { store, queue, results }: RunParts,
): Promise<void> {
  const ids = waiting.map(({ job }) => job.jobId);
  const fates = await reconcile(ids, queue, results);
  const again: NewJob[] = [];
  for (const [i, { job }] of waiting.entries()) {
    if (fates[i]?.status !== "lost") continue;
    const times = await store.countLost(run, job.jobId, info.ttlSeconds);
    if (times <= MAX_REQUEUES) again.push(job);
    else await recordLost(job, times, results);
  }
  await queue.enqueue(again, runOwner(run));
  // Cancelled meanwhile: what it has taken out must not come back.
  if ((await store.find(run))?.state === "submitted") return;
  await queue.cancel(
    again.map(({ jobId }) => jobId),
    runOwner(run),
  );
}

async function recordLost(job: NewJob, times: number, results: ResultStore): Promise<void> {
  const started = await results.begin(job.jobId);
  if (started.status !== "begun") return;
  const message = `the job vanished from the queue ${times} times without a result`;
  const end = { status: "failed", code: "job_lost", message } as const;
  await results.commit(job.jobId, started.fence, end, job.envelope.ttlSeconds);
}
