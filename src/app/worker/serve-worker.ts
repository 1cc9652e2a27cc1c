/** The last step of a start, which cannot fail: the first job is taken. */
import { ownPrivateBytes, readProcessMemory } from "../../inference/host/process-memory.js";
import type { WorkerMetrics } from "../../telemetry/metrics/worker-metrics.js";
import type { Closers } from "../../platform/closers.js";
import { RunStore } from "../../redis/run-store.js";
import { WorkerAnnouncer } from "../../redis/worker-registry.js";
import type { OpenLanes } from "./open-lanes.js";
import type { OpenQueues } from "./open-queues.js";
import type { WorkerPlan } from "./plan-worker.js";
import { reconcileRuns } from "./run-keeper.js";
import { tendJobs } from "./tend-jobs.js";
import type { RunningWorker, WorkerOptions } from "./worker-options.js";

/** A worker with all of its parts open. */
export interface OpenWorker {
  readonly plan: WorkerPlan;
  readonly lanes: OpenLanes;
  readonly queues: OpenQueues;
}

/** The time for the last writes to Redis, which may be gone. */
const LAST_WRITES_MS = 200;

export function serveWorker(
  { model, redis, logger }: WorkerOptions,
  worker: OpenWorker,
  closers: Closers,
): RunningWorker {
  const { plan, lanes, queues } = worker;
  const { tag } = plan;
  const { pool, reuse, tokenizer } = lanes;
  if (lanes.metrics !== undefined) showWorker(lanes.metrics, worker);
  const announcer = new WorkerAnnouncer(redis, tag, () => {
    const pairsPerSecond = lanes.speed.sample(performance.now(), pool.lanes.length);
    return {
      lanes: pool.lanes.length,
      held: heldBy(queues),
      ...(pairsPerSecond !== undefined && { pairsPerSecond }),
      memory: {
        workerBytes: ownPrivateBytes(),
        sharedBytes: plan.lanes.sharedBytes,
        limitBytes: plan.lanes.memoryLimitBytes,
      },
      laneFigures: [...pool.figures],
    };
  });
  closers.use("announcement", announcer, (one) => one.stop(), LAST_WRITES_MS);
  const keeping = new AbortController();
  const parts = { store: new RunStore(redis), ...queues };
  const kept = reconcileRuns(tag, parts, logger, keeping.signal);
  const tended = tendJobs(queues.unheld, logger, keeping.signal);
  const both = Promise.all([kept, tended]).then(() => {});
  closers.use("run keeper", keeping, stopKeeping(both), LAST_WRITES_MS);
  const consumers = Object.values(queues.consumers);
  for (const consumer of consumers) consumer.start();
  const { name, revision, precision, form } = model;
  const { kind } = tokenizer;
  logger.info(
    {
      model: name,
      revision,
      precision,
      form,
      device: plan.device.kind,
      lanes: plan.lanes.lanes,
      tokenizer: kind,
      queues: queues.queue.queueNames,
    },
    "ready",
  );
  const close = async (deadlineMs: number): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.close(deadlineMs)));
    logger.info(reuse.counts, "work that caches and equal pairs saved");
    await closeWorker(closers, logger);
  };
  let closing: Promise<void> | undefined;
  return {
    tag,
    tokenizer: kind,
    laneCount: plan.lanes.lanes,
    held: () => heldBy(queues),
    health: () => pool.health,
    reuse: () => reuse.counts,
    lanePids: () => pool.lanes.map((lane) => lane.pid),
    failed: Promise.race([pool.failed, queues.refused]),
    close: (deadlineMs) => {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}

/** Closes everything that the worker has opened, and says what did not close. */
export async function closeWorker(
  closers: Closers,
  logger: WorkerOptions["logger"],
): Promise<void> {
  for (const { name, error } of await closers.closeAll()) {
    logger.warn({ err: error }, `${name}: not closed properly`);
  }
}

/** Jobs in hand, from both queues. */
export function heldBy({ consumers }: OpenQueues): number {
  return consumers.interactive.held.length + consumers.bulk.held.length;
}

function stopKeeping(kept: Promise<void>): (keeping: AbortController) => Promise<void> {
  return (keeping) => {
    keeping.abort();
    return kept;
  };
}

function showWorker(metrics: WorkerMetrics, { plan, lanes, queues }: OpenWorker): void {
  const { pool, batcher } = lanes;
  const { payloads, memory, memoryLimitBytes, sharedBytes } = plan.lanes;
  const { interactive, bulk } = queues.consumers;
  metrics.show(() => ({
    lanes: pool.states,
    memory: {
      worker: ownPrivateBytes(),
      lanes: pool.lanes.reduce(
        (sum, { pid }) => sum + (readProcessMemory(pid)?.privateBytes ?? 0),
        0,
      ),
      shared: sharedBytes,
    },
    memoryLimitBytes,
    activationBudgetBytes: memory.budget.capacityBytes,
    payloadBytes: payloads.heldBytes,
    payloadLimitBytes: payloads.capacityBytes,
    waitingPairs: batcher.waitingPairs,
    unheldJobs: queues.unheld.overdue,
    held: { interactive: interactive.held.length, bulk: bulk.held.length },
  }));
}
