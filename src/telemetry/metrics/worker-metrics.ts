import { PRIORITIES, type Priority } from "../../core/priority.js";
import type { ObserveWork } from "../../core/work-events.js";
import type { Metrics } from "./registry.js";

/** Seconds. */
const QUEUE_WAIT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400];
const BATCH_WAIT_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60];
const TOKENIZE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];
const INFERENCE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Tokens, padding included. */
const BATCH_TOKENS_BUCKETS = [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];
const PADDING_BUCKETS = [0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75];

const PAIR_OUTCOMES = [
  "scored",
  "not_a_number",
  "pair_too_large",
  "pair_killed_lane",
  "text_not_bounded",
] as const;
const SPARED_BY = ["shared", "cached"] as const;
const JOB_OUTCOMES = ["done", "retried", "failed", "dropped"] as const;
const LANE_STATES = [
  "starting",
  "calibrating",
  "ready",
  "busy",
  "draining",
  "dead",
  "backing-off",
  "closed",
] as const;

/** The outcome of an attempt at a job. */
type JobOutcome = (typeof JOB_OUTCOMES)[number];

/** The model that a worker serves; the labels of `rankmill_model_info`. */
export interface ServedModelInfo {
  /** The model's tag: the `model` label of everything. */
  readonly tag: string;
  readonly name: string;
  readonly revision: string;
  readonly precision: string;
  readonly tokenizer: string;
}

/** Looked up at each scrape; cheap. Memory in bytes. */
export interface WorkerFigures {
  /** One state per lane. */
  readonly lanes: readonly (typeof LANE_STATES)[number][];
  readonly memory: Readonly<Record<"worker" | "lanes" | "shared", number>>;
  readonly memoryLimitBytes: number;
  readonly activationBudgetBytes: number;
  readonly payloadBytes: number;
  readonly payloadLimitBytes: number;
  /** Pairs that wait for a lane. */
  readonly waitingPairs: number;
  /** Jobs in hand. */
  readonly held: Readonly<Record<Priority, number>>;
}

/** Counts what happens in a worker. Every label's values are few and known beforehand. */
export class WorkerMetrics {
  readonly observe: ObserveWork;
  readonly #metrics: Metrics;
  readonly #model: string;
  readonly #jobs;
  readonly #queueWait;
  readonly #stalls;
  readonly #lockLosses;
  readonly #revivals;
  readonly #laneDeaths;
  readonly #laneReplacements;

  constructor(metrics: Metrics, info: ServedModelInfo) {
    this.#metrics = metrics;
    const { tag: model, ...rest } = info;
    this.#model = model;
    metrics
      .gauge("model_info", "What this worker serves; always 1", [
        "model",
        "name",
        "revision",
        "precision",
        "tokenizer",
      ])
      .set({ model, ...rest }, 1);
    const ofQueue = ["model", "queue"] as const;
    this.#jobs = metrics.counter("jobs_total", "Attempts at jobs, by how they ended", [
      ...ofQueue,
      "outcome",
    ]);
    this.#queueWait = metrics.histogram(
      "queue_wait_seconds",
      "Time from enqueueing a job to its first attempt, by the clocks of producer and worker",
      ofQueue,
      QUEUE_WAIT_BUCKETS,
    );
    this.#stalls = metrics.counter(
      "job_stalls_total",
      "Jobs taken back from workers that had stopped renewing their locks",
      ofQueue,
    );
    this.#lockLosses = metrics.counter(
      "lock_losses_total",
      "Jobs whose lock this worker lost while it had them in hand",
      ofQueue,
    );
    this.#revivals = metrics.counter(
      "consumer_revivals_total",
      "Queue consumers replaced because they had gone silent",
      ofQueue,
    );
    this.#laneDeaths = metrics.counter("lane_deaths_total", "Lanes that died", ["model"]);
    this.#laneReplacements = metrics.counter(
      "lane_replacements_total",
      "Lanes replaced on purpose, for the memory that they held",
      ["model"],
    );
    // A counter that starts with its first event loses that event to `rate`.
    for (const queue of PRIORITIES) {
      for (const outcome of JOB_OUTCOMES) this.#jobs.inc({ model, queue, outcome }, 0);
      for (const counter of [this.#stalls, this.#lockLosses, this.#revivals]) {
        counter.inc({ model, queue }, 0);
      }
      this.#queueWait.zero({ model, queue });
    }
    this.#laneDeaths.inc({ model }, 0);
    this.#laneReplacements.inc({ model }, 0);
    this.observe = this.#countWork();
  }

  jobTaken(queue: Priority, waitedMs: number): void {
    this.#queueWait.observe({ model: this.#model, queue }, waitedMs / 1_000);
  }

  jobEnded(queue: Priority, outcome: JobOutcome): void {
    this.#jobs.inc({ model: this.#model, queue, outcome });
  }

  jobStalled(queue: Priority): void {
    this.#stalls.inc({ model: this.#model, queue });
  }

  lockLost(queue: Priority): void {
    this.#lockLosses.inc({ model: this.#model, queue });
  }

  consumerRevived(queue: Priority): void {
    this.#revivals.inc({ model: this.#model, queue });
  }

  laneDied(): void {
    this.#laneDeaths.inc({ model: this.#model });
  }

  laneReplaced(): void {
    this.#laneReplacements.inc({ model: this.#model });
  }

  /** From now on `figures` is asked at each scrape. */
  show(figures: () => WorkerFigures): void {
    const metrics = this.#metrics;
    const model = this.#model;
    const ofModel = ["model"] as const;
    const lanes = metrics.gauge("lanes", "Lanes by state", ["model", "state"]);
    const memory = metrics.gauge(
      "memory_bytes",
      "Memory by what holds it: the worker's and its lanes' own, and the mapped model that lanes share",
      ["model", "part"],
    );
    const limit = metrics.gauge("memory_limit_bytes", "What memory is planned within", ofModel);
    const budget = metrics.gauge(
      "activation_budget_bytes",
      "What all lanes' activations may take together; lowered where a lane ran out of memory",
      ofModel,
    );
    const payload = metrics.gauge("payload_bytes", "Memory held for requests in hand", ofModel);
    const payloadLimit = metrics.gauge(
      "payload_limit_bytes",
      "What requests in hand may take; further jobs wait",
      ofModel,
    );
    const waiting = metrics.gauge("waiting_pairs", "Pairs that wait for a lane", ofModel);
    const held = metrics.gauge("jobs_held", "Jobs in hand", ["model", "queue"]);
    metrics.onScrape(() => {
      const now = figures();
      for (const state of LANE_STATES) {
        lanes.set({ model, state }, now.lanes.filter((lane) => lane === state).length);
      }
      for (const [part, bytes] of Object.entries(now.memory)) memory.set({ model, part }, bytes);
      limit.set({ model }, now.memoryLimitBytes);
      budget.set({ model }, now.activationBudgetBytes);
      payload.set({ model }, now.payloadBytes);
      payloadLimit.set({ model }, now.payloadLimitBytes);
      waiting.set({ model }, now.waitingPairs);
      for (const queue of PRIORITIES) held.set({ model, queue }, now.held[queue]);
    });
  }

  #countWork(): ObserveWork {
    const metrics = this.#metrics;
    const of = { model: this.#model };
    const ofModel = ["model"] as const;
    const pairs = metrics.counter("pairs_total", "Pairs by what became of them", [
      "model",
      "outcome",
    ]);
    const settled = new Map(
      PAIR_OUTCOMES.map((outcome) => [outcome, pairs.labels({ ...of, outcome })]),
    );
    const sparing = metrics.counter(
      "spared_pairs_total",
      "Pairs that no lane was needed for, by why",
      ["model", "by"],
    );
    const spared = new Map(SPARED_BY.map((by) => [by, sparing.labels({ ...of, by })]));
    const tokens = metrics.counter("tokens_total", "Tokens that the model read", ["model", "kind"]);
    const textTokens = tokens.labels({ ...of, kind: "text" });
    const paddingTokens = tokens.labels({ ...of, kind: "padding" });
    const refused = metrics
      .counter(
        "refused_commits_total",
        "Attempts whose result was refused, since a newer attempt holds the job",
        ofModel,
      )
      .labels(of);
    const lookups = metrics.counter("cache_lookups_total", "What was looked up in a cache", [
      "model",
      "cache",
      "outcome",
    ]);
    const lookedUp = (cache: "scores" | "tokens") => ({
      hits: lookups.labels({ ...of, cache, outcome: "hit" }),
      misses: lookups.labels({ ...of, cache, outcome: "miss" }),
    });
    const caches = { scores: lookedUp("scores"), tokens: lookedUp("tokens") };
    const counters = [
      ...settled.values(),
      ...spared.values(),
      ...Object.values(caches).flatMap(({ hits, misses }) => [hits, misses]),
      textTokens,
      paddingTokens,
      refused,
    ];
    for (const counter of counters) counter.inc(0);
    const histogram = (name: string, help: string, buckets: readonly number[]) => {
      const made = metrics.histogram(name, help, ofModel, buckets);
      made.zero(of);
      return made.labels(of);
    };
    const tokenize = histogram(
      "tokenize_seconds",
      "Time to make a job's pairs of its texts",
      TOKENIZE_BUCKETS,
    );
    const batchWait = histogram(
      "batch_wait_seconds",
      "Time that the oldest pair of a message had waited for a lane",
      BATCH_WAIT_BUCKETS,
    );
    const inference = histogram(
      "inference_seconds",
      "Time from sending a message of one or a few batches to a lane to its answer",
      INFERENCE_BUCKETS,
    );
    const batchTokens = histogram(
      "batch_tokens",
      "Tokens of a batch as the model reads it: rows × longest row",
      BATCH_TOKENS_BUCKETS,
    );
    const padding = histogram(
      "padding_ratio",
      "Share of a batch's tokens that is padding",
      PADDING_BUCKETS,
    );
    return (event) => {
      switch (event.type) {
        case "tokenized":
          tokenize.observe(event.tookMs / 1_000);
          break;
        case "departed":
          batchWait.observe(event.waitedMs / 1_000);
          break;
        case "inferred":
          inference.observe(event.tookMs / 1_000);
          for (const batch of event.batches) {
            const unused = batch.paddedTokens - batch.tokens;
            textTokens.inc(batch.tokens);
            paddingTokens.inc(unused);
            batchTokens.observe(batch.paddedTokens);
            padding.observe(unused / Math.max(1, batch.paddedTokens));
          }
          break;
        case "settled":
          settled.get(event.outcome)?.inc(event.pairs);
          break;
        case "spared":
          spared.get(event.by)?.inc(event.pairs);
          break;
        case "looked-up":
          if (event.in === "scores") spared.get("cached")?.inc(event.hits);
          caches[event.in].hits.inc(event.hits);
          caches[event.in].misses.inc(event.misses);
          break;
        case "commit-refused":
          refused.inc();
          break;
      }
    };
  }
}
