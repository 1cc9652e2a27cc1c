import { setTimeout as sleep } from "node:timers/promises";
import { RankmillError } from "../core/errors.js";
import type { NewJob } from "../core/job.js";
import type { RunInfo } from "../redis/run-store.js";
import { isJob, runOwner, type RunParts } from "./submitted-run.js";

/** Jobs of a spooled run that are taken out in one go. */
const CHUNK_JOBS = 500;
/** How long a cancellation waits for a living owner to let go; it looks twice a second. */
const OWNER_LETS_GO_MS = 3_000;
/** As long as a dead owner's lease can live, and a while more. */
const LEASE_ENDS_MS = 20_000;
const POLL_MS = 50;

/**
 * Stops the run: what waits leaves the queue with its payload, what is in a worker's hands is dropped,
 * what is done stays.
 *
 * @returns records that were stopped
 */
export async function cancelRun(run: string, record: RunInfo, parts: RunParts): Promise<number> {
  // First of all: nobody may enqueue again what is about to be taken out.
  await parts.store.update(run, { state: "cancelled" });
  if (record.spooled === "yes") return await cancelSpooled(run, record, parts);
  const { store, queue, results } = parts;
  const closed = await store.closedChunks(run);
  let stopped = 0;
  // Newest first, as the queue does it.
  for (let chunk = record.chunks; chunk >= 0; chunk -= 1) {
    if (closed.has(chunk)) continue;
    const jobs = await jobsOf(run, chunk, parts);
    const records = await results.read(jobs.map(({ jobId }) => jobId));
    const open = jobs.filter((_, i) => records[i] === undefined).map(({ jobId }) => jobId);
    await queue.cancel(open, runOwner(run));
    stopped += open.length;
  }
  return stopped;
}

/** Whether its owner lives or not: a dead one's jobs are written down in Redis. */
async function cancelSpooled(run: string, record: RunInfo, parts: RunParts): Promise<number> {
  const { counts } = await parts.store.readProgress(run);
  await takeOut(run, parts);
  // Until it lets go, an owner may enqueue again what it finds missing.
  if (await untilUnowned(run, parts, OWNER_LETS_GO_MS)) await takeOut(run, parts);
  return record.total - counts.done - counts.failed;
}

/**
 * Removes all that there is of a run in Redis, rankings included. Jobs that others wait for stay with
 * those.
 *
 * @throws RankmillError `conflict` where a runner owns it for longer than a dead one could
 */
export async function purgeRun(run: string, record: RunInfo, parts: RunParts): Promise<void> {
  const { store, queue } = parts;
  if (record.spooled === "yes") {
    if (!(await untilUnowned(run, parts, LEASE_ENDS_MS))) {
      throw new RankmillError(
        "conflict",
        `run ${run} is owned by a runner that does not let it go`,
        { context: { run } },
      );
    }
    await takeOut(run, parts);
  }
  for (let chunk = record.chunks; chunk >= 0; chunk -= 1) {
    const jobs = await jobsOf(run, chunk, parts);
    // Also those that failed: BullMQ keeps some of them.
    await queue.cancel(
      jobs.map(({ jobId }) => jobId),
      runOwner(run),
    );
  }
  await store.remove(run, record);
}

async function takeOut(run: string, { store, queue }: RunParts): Promise<void> {
  for (;;) {
    const jobIds = await store.someJobs(run, CHUNK_JOBS);
    if (jobIds.length === 0) return;
    await queue.cancel(jobIds, runOwner(run));
    await store.dropJobs(run, jobIds);
  }
}

async function untilUnowned(run: string, { store }: RunParts, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while ((await store.owner(run)) !== undefined) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function jobsOf(run: string, chunk: number, { store }: RunParts): Promise<NewJob[]> {
  return (await store.readChunk(run, chunk)).filter(isJob).map(({ job }) => job);
}
