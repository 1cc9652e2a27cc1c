import { DEFAULT_CONCURRENCY } from "../../../src/app/worker/worker-options.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The jobs of a worker. Its values are the worker's settings: `startWorker` takes the group. */
export const WORKER = {
  title: "Worker",
  options: {
    concurrency: {
      flags: "--concurrency <n>",
      env: "RANKMILL_CONCURRENCY",
      type: "integer",
      min: 1,
      default: DEFAULT_CONCURRENCY,
      unit: "jobs",
      description: "jobs that a worker holds at once from each queue",
    },
    scoreCacheBytes: {
      flags: "--score-cache-bytes <n>",
      env: "RANKMILL_SCORE_CACHE_BYTES",
      type: "integer",
      min: 0,
      default: 0,
      unit: "bytes",
      description:
        "Redis memory for cached scores of this model, shared by all its workers; 0 disables the cache",
    },
  },
} as const satisfies OptionGroup;

export type WorkerValues = GroupValues<typeof WORKER>;

/** The end of a worker. */
export const SHUTDOWN = {
  title: "Worker",
  options: {
    drainTimeout: {
      flags: "--drain-timeout <n>",
      env: "RANKMILL_DRAIN_TIMEOUT",
      type: "integer",
      min: 0,
      default: 25,
      unit: "seconds",
      description: "time at shutdown for jobs in hand; the rest go back to the queue",
    },
  },
} as const satisfies OptionGroup;
