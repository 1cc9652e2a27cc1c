/**
 * The composition root of a runner: it owns spooled runs, feeding and collecting them, and takes
 * over those whose owner died. It scores nothing itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Limits } from "../core/contract.js";
import { modelTag } from "../redis/keys.js";
import { showBacklog } from "../telemetry/metrics/backlog-metrics.js";
import { showRuns, type RunFigures } from "../telemetry/metrics/run-metrics.js";
import { readBacklog } from "../redis/backlog.js";
import { listServedModels } from "../redis/model-registry.js";
import { makeJob } from "../redis/make-job.js";
import type { RedisJobQueue } from "../redis/redis-job-queue.js";
import type { Feeder } from "../runs/feeder.js";
import { Lease } from "../redis/lease.js";
import { SPEED_WINDOW_MS, speedOf, secondsLeft, type SpeedSample } from "../core/run-speed.js";
import type { RunCounts } from "../core/run-counts.js";
import { runOwner } from "../runs/run-parts.js";
import { TrackedQueue } from "../runs/tracked-queue.js";
import type { RunInfo } from "../redis/run-info.js";
import type { RunStore } from "../redis/run-store.js";
import type { Spool, SpoolOutput } from "../core/ports/spool.js";
import type { InFlightBounds } from "../core/in-flight-bounds.js";
import { Closers } from "../platform/closers.js";
import { openFeeding } from "./feeding.js";
import type { Instruments } from "./worker/instruments.js";
import { ProcessFitness } from "./worker/process-fitness.js";

export interface RunnerOptions {
  readonly redis: Redis;
  readonly store: RunStore;
  readonly spool: Spool;
  readonly limits: Limits;
  /** Bounds of each run. */
  readonly inFlight: InFlightBounds;
  /** Runs owned at once. */
  readonly maxRuns: number;
  readonly logger: Logger;
  /** File that the runner updates every few seconds with its health; none if absent. */
  readonly healthFile?: string | undefined;
  /** Server of its metrics and readiness; opened and closed by the caller. */
  readonly instruments?: Instruments | undefined;
}

/** A dead owner's run is found at most this long after its lease ended. */
const LOOK_INTERVAL_MS = 2_000;
/** How soon a cancellation is seen, and how fresh `status` is. */
const PROGRESS_INTERVAL_MS = 500;
/** How often the run's speed is measured. */
const SAMPLE_INTERVAL_MS = 2_000;
/** Models whose backlog is shown; each costs a scrape two questions. */
const MAX_SHOWN_MODELS = 64;

/** Figures of each run that is owned, by its id. */
type OwnedFigures = Map<string, () => RunFigures>;

/** Owns runs until `signal` aborts; then gives them back at once, for others to go on with. */
export async function runRunner(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const closers = new Closers();
  try {
    const fitness = closers.use("health", await ProcessFitness.open(options), (one) => one.stop());
    const figures: OwnedFigures = new Map();
    showFigures(options, figures);
    // Its runs wait for workers: no other runner would help them on.
    const countWaiting = async (): Promise<number> => {
      await options.redis.ping();
      return 0;
    };
    await fitness.watch({ held: () => 0, countWaiting });
    options.logger.info({ maxRuns: options.maxRuns }, "ready");
    await ownRuns(options, figures, signal);
  } finally {
    await closers.closeAll();
  }
}

function showFigures({ redis, instruments }: RunnerOptions, figures: OwnedFigures): void {
  if (instruments === undefined) return;
  showRuns(instruments.metrics, () => [...figures.values()].map((now) => now()));
  showBacklog(instruments.metrics, async () => {
    const tags = (await listServedModels(redis)).map(modelTag).slice(0, MAX_SHOWN_MODELS);
    const backlogs = tags.map(async (tag) => [tag, await readBacklog(redis, tag)] as const);
    return new Map(await Promise.all(backlogs));
  });
}

async function ownRuns(
  options: RunnerOptions,
  figures: OwnedFigures,
  signal: AbortSignal,
): Promise<void> {
  const { store, spool, logger, maxRuns } = options;
  const owned = new Map<string, Promise<void>>();
  while (!signal.aborted) {
    for (const [run, info] of await store.index.ownable()) {
      if (owned.has(run) || owned.size >= maxRuns) continue;
      if (!(await holds(spool, run, logger))) continue;
      const owning = own(run, info, options, figures, signal)
        .catch((error: unknown) => {
          logger.error({ run, err: error }, "the run stopped; it is tried again");
        })
        .finally(() => {
          owned.delete(run);
          figures.delete(run);
        });
      owned.set(run, owning);
    }
    await sleep(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  await Promise.all(owned.values());
}

async function holds(spool: Spool, run: string, logger: Logger): Promise<boolean> {
  try {
    return await spool.has(run);
  } catch (error) {
    logger.warn({ run, err: error }, "the spool does not answer; trying again");
    return false;
  }
}

async function own(
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
    // Another may have finished it between the look at it and the lease.
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
  if (!complete) return cancelled.signal.aborted ? "cancelled" : "given back";
  await store.update(run, { state: "complete" });
  return "complete";
}

function figuresOf(
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

interface Watched {
  readonly store: RunStore;
  readonly queue: RedisJobQueue;
  readonly feeder: Feeder;
  readonly output: SpoolOutput;
  /** Samples of the last half minute; grows and shrinks. */
  readonly samples: SpeedSample[];
  readonly total: number;
  readonly ttlSeconds: number;
}

/** Publishes the run's figures and sees its cancellation. */
async function watchRun(
  run: string,
  { store, queue, feeder, output, samples, total, ttlSeconds }: Watched,
  cancelled: AbortController,
  signal: AbortSignal,
): Promise<void> {
  let sampledAtMs = -Infinity;
  while (!signal.aborted) {
    const nowMs = performance.now();
    const { done, failed, pairs, tokens } = output.counts;
    samples.push({ atMs: nowMs, ended: done + failed, pairs, tokens });
    while (nowMs - (samples[0]?.atMs ?? nowMs) > SPEED_WINDOW_MS) samples.shift();
    try {
      if (nowMs - sampledAtMs >= SAMPLE_INTERVAL_MS) {
        sampledAtMs = nowMs;
        await store.sample(run, output.counts);
      }
      const activeIds = await queue.activeIds();
      const active = feeder.inFlightIds().filter((jobId) => activeIds.has(jobId)).length;
      await store.saveProgress(run, { total, counts: output.counts, active }, ttlSeconds);
      if ((await store.find(run))?.state === "cancelled") cancelled.abort();
    } catch {
      // An outage of Redis: the next turn asks again.
    }
    await sleep(PROGRESS_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
}
