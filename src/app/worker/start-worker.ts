/**
 * The start of a worker: plan → open → serve. Everything that can fail comes before the first job is
 * taken, and a start that fails closes what it had opened.
 */
import type { Health } from "../../core/lane-health.js";
import { Closers } from "../../platform/closers.js";
import { unlessAborted } from "../../platform/unless-aborted.js";
import { answerWithin } from "../../redis/answer-within.js";
import { openLanes } from "./open-lanes.js";
import { openQueues } from "./open-queues.js";
import { planWorker } from "./plan-worker.js";
import { ProcessFitness } from "./process-fitness.js";
import { closeWorker, heldBy, serveWorker, type OpenWorker } from "./serve-worker.js";
import type { RunningWorker, WorkerOptions } from "./worker-options.js";

/** A refusal that may pass is waited out for a minute of it. */
const OPEN_QUEUES_MS = 90_000;
const NEVER = new AbortController().signal;

/**
 * Starts serving a model's queues.
 *
 * @throws RankmillError if the model cannot be used, a native package is missing, a file or address
 *   cannot be had, or Redis refuses; the signal's reason if it aborts. Then nothing is left open and no job was touched
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const closers = new Closers();
  try {
    closers.use("tokenizer", options.opened.tokenizer, (tokenizer) => tokenizer.close());
    const { signal = NEVER } = options;
    const worker = await unlessAborted(openWorker(options, closers), signal);
    return serveWorker(options, worker, closers);
  } catch (error) {
    await closeWorker(closers, options.logger);
    throw error;
  }
}

async function openWorker(options: WorkerOptions, closers: Closers): Promise<OpenWorker> {
  // First, for it is over in a moment, and the rest may take minutes.
  const fitness = closers.use("health", await ProcessFitness.open(options), (one) => one.stop());
  const plan = await planWorker(options);
  const lanes = await openLanes(options, plan, fitness, closers);
  const queues = await answerWithin(
    openQueues(options, plan, lanes, fitness, closers),
    OPEN_QUEUES_MS,
    "the queues are not open",
  );
  await fitness.watch({
    lanes: () => lanes.pool.lanes.length,
    partHealth: () => withUnheld(lanes.pool.health, queues.unheld.overdue),
    held: () => heldBy(queues),
    countWaiting: async () => (await queues.queue.counts()).waiting,
  });
  return { plan, lanes, queues };
}

/** Jobs that nobody holds are told of unless the lanes have worse to tell. */
function withUnheld(health: Health, jobs: number): Health {
  if (health.status !== "ok" || jobs === 0) return health;
  return { status: "degraded", reason: `${jobs} jobs are active and nobody holds them` };
}
