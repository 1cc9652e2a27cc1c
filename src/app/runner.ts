/**
 * The composition root of a runner: it owns spooled runs, feeding and collecting them, and takes
 * over those whose owner died. It scores nothing itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Spool } from "../core/ports/spool.js";
import { Closers } from "../platform/closers.js";
import { readBacklog } from "../redis/backlog.js";
import { modelTag } from "../redis/keys.js";
import { listServedModels } from "../redis/model-registry.js";
import { showBacklog } from "../telemetry/metrics/backlog-metrics.js";
import type { RunInfo } from "../redis/run-info.js";
import type { RunStore } from "../redis/run-store.js";
import { showRuns, showStops } from "../telemetry/metrics/run-metrics.js";
import { ownRun } from "./runner/own-run.js";
import type { OwnedFigures } from "./runner/run-figures.js";
import type { RunnerOptions } from "./runner/runner-options.js";
import { StoppedRuns } from "./runner/stopped-runs.js";
import { ProcessFitness } from "./worker/process-fitness.js";
import { pingAll } from "../redis/redis-servers.js";

/** The longest time between the end of a dead owner's lease and the moment its run is found. */
const POLL_INTERVAL_MS = 2_000;
/** Characters of the reason that `status` shows. */
const MAX_PROBLEM_CHARS = 500;
/** Models whose backlog is shown; each costs a scrape two questions. */
const MAX_SHOWN_MODELS = 64;

/** Owns runs until `signal` aborts; then gives them back at once, for others to go on with. */
export async function runRunner(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const closers = new Closers();
  try {
    const fitness = closers.use("health", await ProcessFitness.open(options), (one) => one.stop());
    const figures: OwnedFigures = new Map();
    const stops = new StoppedRuns(options.retryPauses);
    showFigures(options, figures, stops);
    // Its runs wait for workers: no other runner would help them on.
    const countWaiting = async (): Promise<number> => {
      await pingAll(options.redis);
      return 0;
    };
    await fitness.watch({ held: () => 0, countWaiting, partHealth: () => stops.health });
    options.logger.info({ maxRuns: options.maxRuns }, "ready");
    await ownRuns(options, { figures, stops }, signal);
  } finally {
    await closers.closeAll();
  }
}

function showFigures(
  { redis, instruments }: RunnerOptions,
  figures: OwnedFigures,
  stops: StoppedRuns,
): void {
  if (instruments === undefined) return;
  showRuns(instruments.metrics, () => [...figures.values()].map((now) => now()));
  showStops(instruments.metrics, () => stops.counts);
  showBacklog(instruments.metrics, async () => {
    const tags = (await listServedModels(redis)).map(modelTag).slice(0, MAX_SHOWN_MODELS);
    const backlogs = tags.map(async (tag) => [tag, await readBacklog(redis, tag)] as const);
    return new Map(await Promise.all(backlogs));
  });
}

interface Known {
  readonly figures: OwnedFigures;
  readonly stops: StoppedRuns;
}

async function ownRuns(options: RunnerOptions, known: Known, signal: AbortSignal): Promise<void> {
  const { store, spool, logger, maxRuns } = options;
  const { figures, stops } = known;
  const owned = new Map<string, Promise<void>>();
  const own = async (run: string, info: RunInfo): Promise<void> => {
    try {
      await ownRun(run, info, options, figures, signal);
      stops.forget(run);
    } catch (error) {
      await afterStop(run, error, options, known);
    } finally {
      owned.delete(run);
      figures.delete(run);
    }
  };
  while (!signal.aborted) {
    const ownable = await store.index.ownable();
    stops.keepOnly(ownable);
    await forgetRetried(stops, store);
    for (const [run, info] of ownable) {
      if (owned.has(run) || owned.size >= maxRuns || stops.isResting(run)) continue;
      if (await holds(spool, run, logger)) owned.set(run, own(run, info));
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  await Promise.all(owned.values());
}

async function afterStop(
  run: string,
  error: unknown,
  { store, logger }: RunnerOptions,
  { figures, stops }: Known,
): Promise<void> {
  const { recordsDone = 0, recordsFailed = 0 } = figures.get(run)?.() ?? {};
  const after = stops.stopped(run, error, recordsDone + recordsFailed);
  if (after.next === "again") {
    const { pauseMs } = after;
    logger.error({ run, pauseMs, err: error }, "the run stopped; it is tried again after a pause");
    return;
  }
  logger.error(
    { run, err: error },
    "the run stopped again and again: given up until it is retried",
  );
  try {
    if ((await store.find(run))?.state !== "submitted") return;
    await store.update(run, { state: "failed", problem: after.reason.slice(0, MAX_PROBLEM_CHARS) });
  } catch (failure) {
    // It stays what it is, and is tried once more.
    stops.forget(run);
    logger.error({ run, err: failure }, "Redis does not take down that the run was given up");
  }
}

/** A run that was given up is ours to tell of until somebody tries it again or purges it. */
async function forgetRetried(stops: StoppedRuns, store: RunStore): Promise<void> {
  for (const run of stops.givenUp) {
    const info = await store.find(run).catch(() => undefined);
    if (info?.state !== "failed") stops.forget(run);
  }
}

async function holds(spool: Spool, run: string, logger: Logger): Promise<boolean> {
  try {
    return await spool.has(run);
  } catch (error) {
    logger.warn({ run, err: error }, "the spool does not answer; trying again");
    return false;
  }
}
