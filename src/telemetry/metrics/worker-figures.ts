import { PRIORITIES, type Priority } from "../../core/priority.js";
import type { Metrics } from "./registry.js";

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
  /** Jobs of the model that are active though nobody has held them for two lock times. */
  readonly unheldJobs: number;
  /** Jobs in hand. */
  readonly held: Readonly<Record<Priority, number>>;
}

const FIGURES: Readonly<
  Record<string, { readonly help: string; readonly value: (now: WorkerFigures) => number }>
> = {
  memory_limit_bytes: {
    help: "The bound that memory is planned within",
    value: (now) => now.memoryLimitBytes,
  },
  activation_budget_bytes: {
    help: "The bound on all lanes' activations together; lowered when a lane runs out of memory",
    value: (now) => now.activationBudgetBytes,
  },
  payload_bytes: { help: "Memory held for requests in hand", value: (now) => now.payloadBytes },
  payload_limit_bytes: {
    help: "The bound on the memory of requests in hand; further jobs wait",
    value: (now) => now.payloadLimitBytes,
  },
  unheld_jobs: {
    help: "Jobs of the model that are active though nobody has held them for two lock times",
    value: (now) => now.unheldJobs,
  },
  waiting_pairs: { help: "Pairs that wait for a lane", value: (now) => now.waitingPairs },
};

/** Sets the gauges of a worker from `figures` at each scrape. */
export function showFigures(metrics: Metrics, model: string, figures: () => WorkerFigures): void {
  const lanes = metrics.gauge("lanes", "Lanes by state", ["model", "state"]);
  const memory = metrics.gauge(
    "memory_bytes",
    "Memory by its holder: the worker, its lanes, and the mapped model that lanes share",
    ["model", "part"],
  );
  const gauges = Object.entries(FIGURES).map(([name, { help, value }]) => {
    const gauge = metrics.gauge(name, help, ["model"]);
    return (now: WorkerFigures) => gauge.set({ model }, value(now));
  });
  const held = metrics.gauge("jobs_held", "Jobs in hand", ["model", "queue"]);
  metrics.onScrape(() => {
    const now = figures();
    for (const state of LANE_STATES) {
      lanes.set({ model, state }, now.lanes.filter((lane) => lane === state).length);
    }
    for (const [part, bytes] of Object.entries(now.memory)) memory.set({ model, part }, bytes);
    for (const set of gauges) set(now);
    for (const queue of PRIORITIES) held.set({ model, queue }, now.held[queue]);
  });
}
