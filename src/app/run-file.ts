/** The whole of `rankmill run`: plan → open → feed, and an orderly end wherever it is interrupted. */
import type { NewJob } from "../core/job.js";
import type { ValidRecord } from "../core/record.js";
import { emptyCounts } from "../core/run-counts.js";
import { Closers } from "../platform/closers.js";
import { unlessAborted, within } from "../platform/unless-aborted.js";
import { makeJob as makeJobOf } from "../redis/make-job.js";
import { openFeeding, type Feeding } from "./feeding.js";
import { goOn, type LeftJobs } from "./run-file/go-on.js";
import type { RunFileOptions, RunFileResult } from "./run-file/run-file-options.js";
import { openRunRedis, type RunRedis } from "./run-file/run-redis.js";
import { openTarget, ownerOf, writeState, type RunTarget } from "./run-file/run-target.js";
import type { RunningWorker } from "./worker/worker-options.js";
import { pingAll } from "../redis/redis-servers.js";

/** Everything that is left of a run is on disk or can be done again: it must end soon, not late. */
const MOST_DRAIN_MS = 500;
/** The time for collecting what ends while the run is interrupted. */
const SETTLE_MS = 300;
/** A Redis that takes longer is silent; one that is only slow costs the jobs in hand. */
const ANSWER_MS = 300;
/** The worker's own end, after its drain. */
const WORKER_END_MS = 1_000;
/** All of these together, as people are told. */
const MOST_STOP_SECONDS = Math.ceil(
  (2 * SETTLE_MS + ANSWER_MS + MOST_DRAIN_MS + WORKER_END_MS) / 1_000,
);

/**
 * Finds or starts Redis, starts a worker, feeds, waits, writes.
 *
 * @throws RankmillError `invalid_option` and the like before any work is done; others if the run cannot go on.
 *   Rankings up to then are on disk, and the same call again goes on from there
 */
export async function runFile(options: RunFileOptions): Promise<RunFileResult> {
  const { signal, logger } = options;
  const closers = new Closers();
  let target: RunTarget | undefined;
  try {
    target = await unlessAborted(openTarget(options, closers), signal);
    return await rankInto(target, options, closers);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    return {
      status: "interrupted",
      counts: target?.sink.counts ?? emptyCounts(),
      pairsBefore: target?.sink.counts.pairs ?? 0,
      paths: target?.file?.paths,
      firstFailures: target?.sink.firstFailures ?? [],
    };
  } finally {
    for (const { name, error } of await closers.closeAll()) {
      logger.warn({ err: error }, `${name}: not closed properly`);
    }
  }
}

/** A run under way. */
interface RunParts {
  readonly target: RunTarget;
  readonly redis: RunRedis;
  readonly worker: RunningWorker;
  readonly feeding: Feeding;
  readonly jobs: LeftJobs;
}

async function rankInto(
  target: RunTarget,
  options: RunFileOptions,
  closers: Closers,
): Promise<RunFileResult> {
  const { source, format, show, signal } = options;
  const { file, sink } = target;
  const { pairs: pairsBefore } = sink.counts;
  // Aborts with the reason if the run can never go on; then nothing is worth waiting for.
  const doomed = new AbortController();
  const stop = AbortSignal.any([signal, doomed.signal]);
  const parts = await unlessAborted(openParts(target, options, closers, doomed, stop), stop);
  const progress = closers.use(
    "progress",
    show.progress(() => figuresOf(target)),
    (one) => one.stop(),
  );
  let read = 0;
  const all = counting(source.read(new Set()), () => (read += 1));
  const left = file === undefined ? all : goOn(file, all, parts.jobs);
  const feeding = parts.feeding.feeder.run(left, stop);
  const interrupted = await isInterrupted(feeding, stop, signal);
  doomed.signal.throwIfAborted();
  if (interrupted) await interrupt(parts, options, feeding);
  // An upstream step that wrote nothing must not pass for one that found nothing to do.
  else if (read === 0) show.onEvent({ type: "input-empty", input: options.input });
  progress.stop();
  await file?.close(!interrupted, format);
  for (const text of file?.notes(!interrupted) ?? []) show.onEvent({ type: "output-note", text });
  const status = interrupted ? "interrupted" : "complete";
  await writeState(status, target, options, parts.redis.note);
  const { counts, firstFailures } = sink;
  return { status, counts, pairsBefore, paths: file?.paths, firstFailures };
}

async function openParts(
  target: RunTarget,
  options: RunFileOptions,
  closers: Closers,
  doomed: AbortController,
  stop: AbortSignal,
): Promise<RunParts> {
  const { limits, scoring, model, device, runtime, logger, env, preparedDir } = options;
  const redis = await openRunRedis(options, closers, doomed);
  stop.throwIfAborted();
  await writeState("running", target, options, redis.note);
  const { startWorker } = await import("./worker/start-worker.js");
  const starting = startWorker({
    model,
    device,
    runtime,
    redis: redis.redis,
    logger,
    env,
    preparedDir,
    opened: target.opened,
    limits,
    ...options.lanes,
    eventsStreamLength: redis.eventsStreamLength,
    signal: stop,
  });
  const worker = closers.use("worker", await starting, (one) => one.close(0));
  void worker.failed.then((error) => doomed.abort(error));
  const makeJob = ({ request }: ValidRecord): NewJob =>
    makeJobOf(request, scoring, { priority: "bulk" });
  const owner = ownerOf(target);
  const feeding = openFeeding(
    {
      redis: redis.redis,
      tag: worker.tag,
      maxJobBytes: limits.maxJobBytes,
      eventsStreamLength: redis.eventsStreamLength,
      track: (queue) => queue,
      sink: target.sink,
      makeJob,
      owner,
      inFlight: redis.inFlight,
    },
    closers,
  );
  const release = (jobIds: readonly string[]) => feeding.queue.release(jobIds, owner);
  return { target, redis, worker, feeding, jobs: { makeJob, release } };
}

/**
 * Waits for the end of the input, or of the run.
 *
 * @returns false if all records have ended
 * @throws the reason why the run cannot go on
 */
async function isInterrupted(
  feeding: Promise<void>,
  stop: AbortSignal,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await unlessAborted(feeding, stop, SETTLE_MS);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
  return signal.aborted;
}

/** Finishes the jobs in hand if that is soon done, and takes the others out of the queue. */
async function interrupt(
  { redis: { redis }, worker, feeding: { feeder } }: RunParts,
  { show, drainTimeoutMs, logger }: RunFileOptions,
  feeding: Promise<void>,
): Promise<void> {
  show.onEvent({ type: "stopping", inHand: worker.held(), mostSeconds: MOST_STOP_SECONDS });
  if ((await within(pingAll(redis), ANSWER_MS)) && (await within(feeding, SETTLE_MS))) {
    const drainMs = Math.min(drainTimeoutMs, MOST_DRAIN_MS);
    await within(worker.close(drainMs), drainMs + WORKER_END_MS);
    await within(feeder.abandon(), SETTLE_MS);
    return;
  }
  // From now on nothing waits for its answer, and what fails for want of it is no news.
  logger.level = "error";
  redis.disconnect();
  await within(worker.close(0), WORKER_END_MS);
  await within(feeding, SETTLE_MS);
}

function figuresOf({
  records,
  sink,
}: RunTarget): ReturnType<Parameters<RunFileOptions["show"]["progress"]>[0]> {
  const { done, failed } = sink.counts;
  // Candidates that a corpus lacks fail beside their record.
  const total = records === undefined ? undefined : Math.max(records, done + failed);
  return { ...sink.counts, total };
}

async function* counting<T>(items: AsyncIterable<T>, count: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    count();
    yield item;
  }
}
