/** The third step of a start: the worker's places in Redis, everything but the first job. */
import type { RankmillError } from "../../core/errors.js";
import type { Priority } from "../../core/priority.js";
import { JobProcessor } from "../../pipeline/process-job.js";
import type { Closers } from "../../platform/closers.js";
import {
  Consumer,
  DEFAULT_LOCK_DURATION_MS,
  DEFAULT_STALLED_INTERVAL_MS,
} from "../../redis/consumer.js";
import { listenForCancellations } from "../../redis/cancellations.js";
import { registerModel } from "../../redis/model-registry.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { ReplicaWatch } from "../../redis/replica-watch.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import { UnheldJobs } from "../../redis/unheld-jobs.js";
import type { OpenLanes } from "./open-lanes.js";
import type { WorkerPlan } from "./plan-worker.js";
import type { ProcessFitness } from "./process-fitness.js";
import { countConsumer, logConsumer } from "./worker-events.js";
import { DEFAULT_CONCURRENCY, type WorkerOptions } from "./worker-options.js";

export interface OpenQueues {
  readonly queue: RedisJobQueue;
  readonly results: RedisResultStore;
  readonly unheld: UnheldJobs;
  /** Resolves if Redis takes no writes any more; never rejects. */
  readonly refused: Promise<RankmillError>;
  /** Connected; none takes a job before it is started. */
  readonly consumers: Readonly<Record<Priority, Consumer>>;
}

/** Redis may be gone when a queue is closed; nothing that matters is left to say then. */
const CLOSE_TIMEOUT_MS = 200;

/** @throws what Redis refuses */
export async function openQueues(
  options: WorkerOptions,
  plan: WorkerPlan,
  lanes: OpenLanes,
  fitness: ProcessFitness,
  closers: Closers,
): Promise<OpenQueues> {
  const { redis, model, eventsStreamLength } = options;
  const { tag, limits } = plan;
  const { name, revision, precision, form, digest, maxLength, takesInstruction } = model;
  const aliases = model.entry?.aliases ?? [];
  await registerModel(redis, {
    name,
    aliases,
    revision,
    precision,
    form,
    digest,
    maxLength,
    takesInstruction,
  });
  const results = new RedisResultStore(redis, tag);
  const queue = closers.use(
    "queue",
    new RedisJobQueue(redis, tag, limits.maxJobBytes, eventsStreamLength),
    (one) => one.close(),
    CLOSE_TIMEOUT_MS,
  );
  const processor = new JobProcessor({
    model,
    highestMaxLength: maxLength.highest,
    tokenizer: lanes.tokenizer,
    template: options.opened.template,
    scorer: lanes.scorer,
    results,
    payloads: queue,
    payloadBytes: plan.lanes.payloads,
    limits: { ...limits, maxJobBytes: plan.lanes.maxJobBytes },
    observe: lanes.observe,
  });
  const replica = new ReplicaWatch();
  const open = (priority: Priority): Consumer => {
    const parts = { tag, lanes, fitness, replica };
    const consumer = openConsumer(priority, options, processor, parts);
    return closers.use(`${priority} consumer`, consumer, (one) => one.close(0));
  };
  const consumers = { interactive: open("interactive"), bulk: open("bulk") };
  await Promise.all(Object.values(consumers).map((consumer) => consumer.ready()));
  const subscriber = await listenForCancellations(redis, tag, Object.values(consumers));
  closers.use("cancellations", subscriber, (one) => one.disconnect());
  const unheld = new UnheldJobs({
    redis,
    tag,
    lockDurationMs: options.lockDurationMs ?? DEFAULT_LOCK_DURATION_MS,
    stalledIntervalMs: DEFAULT_STALLED_INTERVAL_MS,
  });
  return { queue, results, unheld, refused: replica.stays, consumers };
}

function openConsumer(
  priority: Priority,
  { redis, logger, concurrency, lockDurationMs }: WorkerOptions,
  processor: JobProcessor,
  {
    tag,
    lanes: { metrics },
    fitness,
    replica,
  }: {
    tag: string;
    lanes: Pick<OpenLanes, "metrics">;
    fitness: ProcessFitness;
    replica: ReplicaWatch;
  },
): Consumer {
  return new Consumer(
    redis,
    {
      tag,
      priority,
      concurrency: concurrency ?? DEFAULT_CONCURRENCY,
      lockDurationMs: lockDurationMs ?? DEFAULT_LOCK_DURATION_MS,
      stalledIntervalMs: DEFAULT_STALLED_INTERVAL_MS,
      onEvent: (event) => {
        logConsumer(logger, event);
        if (metrics !== undefined) countConsumer(metrics, priority, event);
        if (event.type === "done" || event.type === "failed") fitness.progressed();
        if (event.type === "error") replica.heard(event.error);
      },
    },
    (job, signal) => processor.process(job, signal),
  );
}
