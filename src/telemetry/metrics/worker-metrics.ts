import { PRIORITIES, type Priority } from "../../core/priority.js";
import type { ObserveWork } from "../../core/work-events.js";
import { countWork } from "./count-work.js";
import type { Metrics } from "./registry.js";
import { showFigures, type WorkerFigures } from "./worker-figures.js";

/** Seconds. */
const QUEUE_WAIT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400];

const JOB_OUTCOMES = ["done", "retried", "failed", "dropped"] as const;

/** The outcome of an attempt at a job. */
type JobOutcome = (typeof JOB_OUTCOMES)[number];

/** The model that a worker serves; the labels of `rankmill_model_info`. */
export interface ServedModelInfo {
  /** The model's tag: the `model` label of everything. */
  readonly tag: string;
  readonly name: string;
  readonly revision: string;
  readonly precision: string;
  /** The numeric form; empty: the file's own numbers. */
  readonly form: string;
  readonly tokenizer: string;
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
      .gauge("model_info", "The model that this worker serves; always 1", [
        "model",
        "name",
        "revision",
        "precision",
        "form",
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
    this.observe = countWork(metrics, model);
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

  /** Shows `figures`, looked up at each scrape. */
  show(figures: () => WorkerFigures): void {
    showFigures(this.#metrics, this.#model, figures);
  }
}
