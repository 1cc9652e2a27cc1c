import type { SpeedSample } from "../../core/run-speed.js";
import { Closers } from "../../platform/closers.js";
import { Lease } from "../../redis/lease.js";
import { makeJob } from "../../redis/make-job.js";
import type { RunInfo } from "../../redis/run-info.js";
import { runOwner } from "../../runs/run-parts.js";
import { TrackedQueue } from "../../runs/tracked-queue.js";
import { openFeeding } from "../feeding.js";
import { figuresOf, type OwnedFigures } from "./run-figures.js";
import type { RunnerOptions } from "./runner-options.js";
import { watchRun } from "./watch-run.js";

/** Takes the lease of `run`, feeds and collects it; does nothing if another owner holds it. */
export async function ownRun(
  run: string,
  info: RunInfo,
  options: RunnerOptions,
  figures: OwnedFigures,
  signal: AbortSignal,
): Promise<void> {
  const { redis, logger } = options;
  const lease = await Lease.take(redis, run);
  if (lease === undefined) return;
  const closers = new Closers();
  try {
    // Another may have finished it before the lease was taken.
    if ((await options.store.find(run))?.state !== "submitted") return;
    logger.info({ run, fence: lease.fence }, "owner of the run");
    const ended = await feed(run, info, { lease, options, figures, closers }, signal);
    logger.info({ run, ended }, "no longer owner of the run");
  } finally {
    await closers.closeAll();
    await lease.giveBack();
  }
}

interface Owned {
  readonly lease: Lease;
  readonly options: RunnerOptions;
  readonly figures: OwnedFigures;
  /** Closes the queue of the run, also if feeding fails. */
  readonly closers: Closers;
}

async function feed(
  run: string,
  info: RunInfo,
  { lease, options, figures, closers }: Owned,
  signal: AbortSignal,
): Promise<"complete" | "cancelled" | "given back"> {
  const { redis, store, spool, limits } = options;
  const { total, ttlSeconds } = info;
  const output = await spool.openOutput(run, lease.fence);
  for (const damage of output.damage) {
    options.logger.warn(
      { run, damage },
      "a part of the spool cannot be used: its records are ranked anew",
    );
  }
  const prepared = { records: 0, pairs: 0 };
  const samples: SpeedSample[] = [];
  figures.set(run, () => figuresOf(run, info.tag, total, output.counts, prepared, samples));
  const { queue, tracked, feeder } = openFeeding(
    {
      redis,
      tag: info.tag,
      maxJobBytes: limits.maxJobBytes,
      track: (one) => new TrackedQueue(one, store, run, ttlSeconds),
      sink: output,
      makeJob: ({ request }) => {
        prepared.records += 1;
        prepared.pairs += request.documents.length;
        return makeJob(request, info, { priority: "bulk", ttlSeconds });
      },
      owner: runOwner(run),
      inFlight: {
        ...options.inFlight,
        maxJobs: Math.min(options.inFlight.maxJobs, info.windowJobs),
      },
    },
    closers,
  );
  const records = spool.records(run, output.doneIds);
  const cancelled = new AbortController();
  const watching = new AbortController();
  const watch = watchRun(
    run,
    { store, queue, feeder, output, samples, total, ttlSeconds },
    cancelled,
    watching.signal,
  );
  try {
    await feeder.run(records, AbortSignal.any([signal, lease.signal, cancelled.signal]));
  } catch (error) {
    await output.close(false).catch(() => {});
    throw error;
  } finally {
    watching.abort();
    await watch;
  }
  // If the lease is lost, another owner feeds: jobs in flight are no longer ours to take back.
  const complete = !signal.aborted && !lease.signal.aborted && !cancelled.signal.aborted;
  if (cancelled.signal.aborted) await feeder.abandon();
  await output.close(complete);
  // Rankings that an earlier owner wrote and did not live to release.
  if (complete) await tracked.releaseAll(runOwner(run));
  await store.saveProgress(run, { total, counts: output.counts, active: 0 }, ttlSeconds);
  // The one who cancels a run knows its last figures.
  if (cancelled.signal.aborted) return "cancelled";
  const moment = { total, counts: output.counts, speed: undefined, isLast: complete };
  await store.history.note(run, moment);
  if (!complete) return "given back";
  await store.update(run, { state: "complete" });
  return "complete";
}
