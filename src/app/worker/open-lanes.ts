/** The second step of a start: the lanes, and the way of a pair to them. */
import { LanePool } from "../../inference/lanes/lane-pool.js";
import type { PairScorer } from "../../core/ports/pair-scorer.js";
import type { Tokenizer } from "../../core/ports/tokenizer.js";
import type { ObserveWork } from "../../core/work-events.js";
import { WorkSpeed } from "../../core/work-speed.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../pipeline/batch/batcher.js";
import { CachedScorer } from "../../pipeline/cached-scorer.js";
import type { Closers } from "../../platform/closers.js";
import { readBacklog } from "../../redis/backlog.js";
import { showBacklog } from "../../telemetry/metrics/backlog-metrics.js";
import { WorkerMetrics } from "../../telemetry/metrics/worker-metrics.js";
import { observeLanes } from "../../telemetry/observe-lanes.js";
import { ReuseCounter } from "../../telemetry/reuse-counts.js";
import { CachedTokenizer } from "../../tokenizers/cached-tokenizer.js";
import { openScoreCache } from "./open-score-cache.js";
import type { WorkerPlan } from "./plan-worker.js";
import type { ProcessFitness } from "./process-fitness.js";
import { countLane, logLane } from "./worker-events.js";
import type { WorkerOptions } from "./worker-options.js";

export interface OpenLanes {
  readonly pool: LanePool;
  readonly batcher: Batcher;
  /** The batcher, behind the score cache if there is one. */
  readonly scorer: PairScorer;
  readonly tokenizer: Tokenizer;
  /** Undefined if nobody asks for metrics. */
  readonly metrics: WorkerMetrics | undefined;
  readonly reuse: ReuseCounter;
  readonly speed: WorkSpeed;
  readonly observe: ObserveWork;
}

/**
 * Resolves once the first lane is ready.
 *
 * @throws RankmillError if the model cannot be used, no lane starts, or scores cannot be cached
 */
export async function openLanes(
  options: WorkerOptions,
  plan: WorkerPlan,
  fitness: ProcessFitness,
  closers: Closers,
): Promise<OpenLanes> {
  const { redis, model, logger, opened } = options;
  const { tag, lanes } = plan;
  const metrics = countWork(options, tag);
  const reuse = new ReuseCounter();
  const speed = new WorkSpeed();
  const observe: ObserveWork = (event) => {
    reuse.count(event);
    speed.observe(event);
    metrics?.observe(event);
  };
  const scoreCache = await openScoreCache(options.scoreCacheBytes ?? 0, {
    redis,
    tag,
    model,
    plan: lanes,
    logger,
  });
  if (scoreCache !== undefined) closers.use("score cache", scoreCache, (cache) => cache.close());
  const tokenizer =
    lanes.tokenCacheBytes > 0
      ? new CachedTokenizer(opened.tokenizer, lanes.tokenCacheBytes, observe)
      : opened.tokenizer;
  const batcher = openBatcher(options, plan, observe);
  const work = observeLanes(batcher, (event) => {
    fitness.progressed();
    observe(event);
  });
  const pool = closers.use("lanes", openPool(work, options, plan, metrics), (one) => one.close());
  await pool.start();
  void pool.failed.then((error) => batcher.fail(error));
  const scorer =
    scoreCache === undefined ? batcher : new CachedScorer(batcher, scoreCache, observe);
  return { pool, batcher, scorer, tokenizer, metrics, reuse, speed, observe };
}

function openBatcher(options: WorkerOptions, { lanes }: WorkerPlan, observe: ObserveWork): Batcher {
  const { sharesEqualPairs = true, model } = options;
  const sharesPrefixes = model.file.prefixBytesPerToken !== undefined;
  const { messages, limits, batchMs, memory } = lanes;
  return new Batcher(
    {
      ...DEFAULT_BATCHER_OPTIONS,
      ...messages,
      limits,
      batchMs,
      observe,
      sharesEqualPairs,
      sharesPrefixes,
    },
    memory,
  );
}

function openPool(
  work: ConstructorParameters<typeof LanePool>[0],
  { logger }: WorkerOptions,
  { device, env, lanes }: WorkerPlan,
  metrics: WorkerMetrics | undefined,
): LanePool {
  return new LanePool(work, {
    lanes: lanes.lanes,
    env,
    cards: device.cards,
    model: lanes.laneModel,
    deadlineMs: lanes.deadlineMs,
    onEvent: (event) => {
      logLane(logger, event);
      if (metrics !== undefined) countLane(metrics, event);
      if (event.type === "ready" && event.tooLarge !== undefined) {
        lanes.memory.tooLarge(event.tooLarge);
      }
    },
  });
}

function countWork(
  { instruments, model, opened, redis }: WorkerOptions,
  tag: string,
): WorkerMetrics | undefined {
  if (instruments === undefined) return undefined;
  const { name, revision, precision, form } = model;
  const tokenizer = opened.tokenizer.kind;
  showBacklog(instruments.metrics, async () => new Map([[tag, await readBacklog(redis, tag)]]));
  return new WorkerMetrics(instruments.metrics, {
    tag,
    name,
    revision,
    precision,
    form: form ?? "",
    tokenizer,
  });
}
