/**
 * The composition root of a worker: everything between a model's queues and its lanes, put together
 * and started in the order in which each part needs the one before.
 */
import { LANE_ENTRY } from "../../platform/process-entries.js";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { DEFAULT_LIMITS, type Limits } from "../../core/contract.js";
import type { RankmillError } from "../../core/errors.js";
import type { Health } from "../../core/lane-health.js";
import type { WorkerDevice } from "../../core/device.js";
import { cancelChannel, modelTag } from "../../redis/keys.js";
import type { Priority } from "../../core/priority.js";
import { ReuseCounter, type ReuseCounts } from "../../telemetry/reuse-counts.js";
import type { ObserveWork } from "../../core/work-events.js";
import type { LaneModel } from "../../inference/lanes/lane-protocol.js";
import { LanePool } from "../../inference/lanes/lane-pool.js";
import { ownPrivateBytes, readProcessMemory } from "../../inference/host/process-memory.js";
import { CachedTokenizer } from "../../tokenizers/cached-tokenizer.js";
import type { OpenedTokenizer } from "../../tokenizers/open-tokenizer.js";
import { showBacklog } from "../../telemetry/metrics/backlog-metrics.js";
import { WorkerMetrics } from "../../telemetry/metrics/worker-metrics.js";
import { observeLanes } from "../../telemetry/observe-lanes.js";
import { cudaEnv } from "../../inference/devices/cuda/cuda-env.js";
import type { ResolvedModel } from "../../models/resolve.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../pipeline/batch/batcher.js";
import { CachedScorer } from "../../pipeline/cached-scorer.js";
import { JobProcessor } from "../../pipeline/process-job.js";
import { readBacklog } from "../../redis/backlog.js";
import {
  Consumer,
  DEFAULT_LOCK_DURATION_MS,
  DEFAULT_STALLED_INTERVAL_MS,
} from "../../redis/consumer.js";
import { registerModel } from "../../redis/model-registry.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { WorkerAnnouncer } from "../../redis/worker-registry.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import type { RedisScoreCache } from "../../redis/redis-score-cache.js";
import { RunStore } from "../../redis/run-store.js";
import { watchFitness, type Instruments, type WatchedFitness } from "./instruments.js";
import { planCudaLanes } from "../../capacity/cuda-plan.js";
import { planLanes, type LanePlan, type LanePlanOptions } from "../../capacity/cpu-plan.js";
import { modelSource } from "./prepared-model.js";
import { reconcileRuns } from "./run-keeper.js";
import { openScoreCache } from "./open-score-cache.js";
import { countConsumer, countLane, logConsumer, logLane } from "./worker-events.js";

export interface WorkerOptions extends LanePlanOptions {
  readonly model: ResolvedModel;
  /** Default: the CPU. */
  readonly device?: WorkerDevice | undefined;
  /** The model's tokenizer; the worker closes it. */
  readonly opened: OpenedTokenizer;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where prepared models lie; the model runs as it is where absent. */
  readonly preparedDir?: string | undefined;
  /** Jobs held at once from each of the two queues. */
  readonly concurrency?: number | undefined;
  readonly lockDurationMs?: number | undefined;
  /** Of Redis, for scores that are kept for other jobs; 0: none are. */
  readonly scoreCacheBytes?: number | undefined;
  /** False only to measure what sharing equal pairs saves. */
  readonly sharesEqualPairs?: boolean | undefined;
  /** Entries of BullMQ's events stream. */
  readonly eventsStreamLength?: number | undefined;
  readonly limits?: Limits | undefined;
  /** Where the worker says every few seconds whether it is of use; nowhere where absent. */
  readonly healthFile?: string | undefined;
  /** What shows the worker's metrics and readiness; opened and closed by the caller. */
  readonly instruments?: Instruments | undefined;
}

export interface RunningWorker {
  readonly tag: string;
  readonly tokenizer: string;
  readonly laneCount: number;
  /** Process ids of the lanes at work. */
  readonly lanePids: () => readonly number[];
  /** Whether lanes are at work. */
  readonly health: () => Health;
  /** What was not done twice, so far. */
  readonly reuse: () => ReuseCounts;
  /** Resolves where no lane can work any more; never rejects. */
  readonly failed: Promise<RankmillError>;
  /** Takes no more jobs, finishes or hands back those held, closes everything. */
  close(deadlineMs: number): Promise<void>;
}

/** Enough jobs of a few documents to fill every lane's batches, and the next ones tokenised. */
export const DEFAULT_CONCURRENCY = 64;
/** The largest model must be read from a cold disk within this. */
const LANE_OPEN_TIMEOUT_MS = 300_000;

/** For what is left to say to Redis once everything else is closed. */
const CLOSE_REDIS_TIMEOUT_MS = 2_000;

/**
 * Starts serving a model's queues.
 *
 * @throws RankmillError where the model cannot be used or a native package is missing
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { model, redis, logger } = options;
  const limits = options.limits ?? DEFAULT_LIMITS;
  const tag = modelTag(model);
  const { template } = options.opened;
  let { tokenizer } = options.opened;
  const { device = { kind: "cpu" } } = options;
  const env = device.kind === "cuda" ? cudaEnv(options.env, device.libraryDir) : options.env;
  let plan: LanePlan;
  let scoreCache: RedisScoreCache | undefined;
  let laneModel: LaneModel;
  try {
    laneModel = {
      ...(device.kind === "cuda"
        ? // Prepared graphs hold the CPU's own kernels and weights.
          { onnxPath: model.onnxPath }
        : await modelSource(model, options.preparedDir, env, logger)),
      padId: template.padId,
      segmentTypeIds: template.segmentTypeIds,
      executionProvider: device.kind,
      intraOpThreads: 1,
    };
    const request = {
      ...options,
      laneModel,
      laneEntryPath: LANE_ENTRY,
      openTimeoutMs: LANE_OPEN_TIMEOUT_MS,
      maxJobBytes: limits.maxJobBytes,
    };
    if (device.kind === "cuda") {
      const cuda = await planCudaLanes(request, device.gpus);
      laneModel = { ...laneModel, lengthBuckets: cuda.lengthBuckets, warmUp: cuda.warmUp };
      plan = cuda;
    } else {
      plan = await planLanes(request);
    }
    laneModel = { ...laneModel, intraOpThreads: plan.threads };
    scoreCache = await openScoreCache(options.scoreCacheBytes ?? 0, {
      redis,
      tag,
      model,
      laneModel,
      plan,
      logger,
    });
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
  const laneCount = plan.lanes;
  const { limits: batchLimits, batchMs } = plan;
  const metrics = countWork(options, tag);
  const reuse = new ReuseCounter();
  const observe: ObserveWork = (event) => {
    reuse.count(event);
    metrics?.observe(event);
  };
  if (plan.tokenCacheBytes > 0) {
    tokenizer = new CachedTokenizer(tokenizer, plan.tokenCacheBytes, observe);
  }
  const { sharesEqualPairs = true } = options;
  const batcher = new Batcher(
    {
      ...DEFAULT_BATCHER_OPTIONS,
      ...plan.messages,
      limits: batchLimits,
      batchMs,
      observe,
      sharesEqualPairs,
    },
    plan.memory,
  );
  const scorer =
    scoreCache === undefined ? batcher : new CachedScorer(batcher, scoreCache, observe);
  let fitness: WatchedFitness | undefined;
  const work = observeLanes(batcher, (event) => {
    fitness?.progressed();
    observe(event);
  });
  const pool = new LanePool(work, {
    lanes: laneCount,
    entryPath: LANE_ENTRY,
    env,
    gpus: device.kind === "cuda" ? device.gpus : undefined,
    openTimeoutMs: LANE_OPEN_TIMEOUT_MS,
    model: laneModel,
    deadlineMs: plan.deadlineMs,
    onEvent: (event) => {
      logLane(logger, event);
      if (metrics !== undefined) countLane(metrics, event);
      if (event.type === "ready" && event.tooLarge !== undefined) plan.onTooLarge?.(event.tooLarge);
    },
  });
  try {
    await pool.start();
  } catch (error) {
    await scoreCache?.close();
    await tokenizer.close();
    throw error;
  }
  void pool.failed.then((error) => batcher.fail(error));

  const results = new RedisResultStore(redis, tag);
  const queue = new RedisJobQueue(redis, tag, limits.maxJobBytes, options.eventsStreamLength);
  const processor = new JobProcessor({
    model,
    highestMaxLength: model.maxLength.highest,
    tokenizer,
    template,
    scorer,
    results,
    payloads: queue,
    payloadBytes: plan.payloads,
    limits: { ...limits, maxJobBytes: plan.maxJobBytes },
    observe,
  });
  await registerModel(redis, {
    name: model.name,
    aliases: model.entry?.aliases ?? [],
    revision: model.revision,
    precision: model.precision,
    digest: model.digest,
    maxLength: model.maxLength,
  });
  const consume = (priority: Priority): Consumer =>
    new Consumer(
      redis,
      {
        tag,
        priority,
        concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
        lockDurationMs: options.lockDurationMs ?? DEFAULT_LOCK_DURATION_MS,
        stalledIntervalMs: DEFAULT_STALLED_INTERVAL_MS,
        onEvent: (event) => {
          logConsumer(logger, event);
          if (metrics !== undefined) countConsumer(metrics, priority, event);
          if (event.type === "done" || event.type === "failed") fitness?.progressed();
        },
      },
      (job, signal) => processor.process(job, signal),
    );
  const byPriority = { interactive: consume("interactive"), bulk: consume("bulk") };
  const consumers = Object.values(byPriority);
  await Promise.all(consumers.map((consumer) => consumer.ready()));
  const keeping = new AbortController();
  const kept = reconcileRuns(
    tag,
    { store: new RunStore(redis), queue, results },
    logger,
    keeping.signal,
  );
  const cancellations = await listenForCancellations(redis, tag, consumers);
  const held = (): number => consumers.reduce((sum, consumer) => sum + consumer.held.length, 0);
  const announcer = new WorkerAnnouncer(redis, tag, () => ({
    lanes: pool.lanes.length,
    held: held(),
  }));
  fitness = await watchFitness(
    {
      lanes: () => pool.lanes.length,
      laneHealth: () => pool.health,
      held,
      countWaiting: async () => (await queue.counts()).waiting,
    },
    options,
  );
  metrics?.show(() => ({
    lanes: pool.states,
    memory: {
      worker: ownPrivateBytes(),
      lanes: pool.lanes.reduce(
        (sum, { pid }) => sum + (readProcessMemory(pid)?.privateBytes ?? 0),
        0,
      ),
      shared: plan.sharedBytes,
    },
    memoryLimitBytes: plan.memoryLimitBytes,
    activationBudgetBytes: plan.memory.budget.capacityBytes,
    payloadBytes: plan.payloads.heldBytes,
    payloadLimitBytes: plan.payloads.capacityBytes,
    waitingPairs: batcher.waitingPairs,
    held: {
      interactive: byPriority.interactive.held.length,
      bulk: byPriority.bulk.held.length,
    },
  }));
  logger.info(
    {
      model: model.name,
      revision: model.revision,
      precision: model.precision,
      device: device.kind,
      lanes: laneCount,
      tokenizer: tokenizer.implementation,
      queues: queue.queueNames,
    },
    "ready",
  );

  return {
    tag,
    tokenizer: tokenizer.implementation,
    laneCount,
    health: () => pool.health,
    reuse: () => reuse.counts,
    lanePids: () => pool.lanes.map((lane) => lane.pid),
    failed: pool.failed,
    close: async (deadlineMs) => {
      await Promise.all(consumers.map((consumer) => consumer.close(deadlineMs)));
      keeping.abort();
      cancellations.disconnect();
      await pool.close();
      await tokenizer.close();
      await scoreCache?.close();
      logger.info(reuse.counts, "work that was not done twice");
      await fitness.stop();
      // Where Redis is gone these wait for it, and would wait for ever.
      const waiting = Promise.allSettled([kept, announcer.stop(), queue.close()]);
      await Promise.race([waiting, sleep(CLOSE_REDIS_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

/** @returns undefined where nobody looks */
function countWork(
  { instruments, model, opened, redis }: WorkerOptions,
  tag: string,
): WorkerMetrics | undefined {
  if (instruments === undefined) return undefined;
  const { name, revision, precision } = model;
  const tokenizer = opened.tokenizer.implementation;
  showBacklog(instruments.metrics, async () => new Map([[tag, await readBacklog(redis, tag)]]));
  return new WorkerMetrics(instruments.metrics, { tag, name, revision, precision, tokenizer });
}

async function listenForCancellations(
  redis: Redis,
  tag: string,
  consumers: readonly Consumer[],
): Promise<Redis> {
  const subscriber = redis.duplicate();
  subscriber.on("error", () => {});
  subscriber.on("message", (_channel: string, jobIds: string) => {
    for (const jobId of jobIds.split(",")) {
      for (const consumer of consumers) consumer.drop(jobId);
    }
  });
  await subscriber.subscribe(cancelChannel(tag));
  return subscriber;
}
