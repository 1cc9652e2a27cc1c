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
import { showRuns } from "../telemetry/metrics/run-metrics.js";
import { ownRun } from "./runner/own-run.js";
import type { OwnedFigures } from "./runner/run-figures.js";
import type { RunnerOptions } from "./runner/runner-options.js";
import { ProcessFitness } from "./worker/process-fitness.js";

/** The longest time between the end of a dead owner's lease and the moment its run is found. */
const POLL_INTERVAL_MS = 2_000;
/** Models whose backlog is shown; each costs a scrape two questions. */
const MAX_SHOWN_MODELS = 64;

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
      const owning = ownRun(run, info, options, figures, signal)
        .catch((error: unknown) => {
          logger.error({ run, err: error }, "the run stopped; it is tried again");
        })
        .finally(() => {
          owned.delete(run);
          figures.delete(run);
        });
      owned.set(run, owning);
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => {});
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
