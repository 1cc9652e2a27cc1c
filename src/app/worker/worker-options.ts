import type { Logger } from "pino";
import type { LanePlanOptions } from "../../capacity/lane-plan.js";
import type { Limits } from "../../core/contract.js";
import type { RankmillError } from "../../core/errors.js";
import type { Health } from "../../core/lane-health.js";
import type { WorkerDevice } from "../../inference/devices/registry.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import type { ResolvedModel } from "../../models/resolve.js";
import type { ReuseCounts } from "../../telemetry/reuse-counts.js";
import type { OpenedTokenizer } from "../../tokenizers/open-tokenizer.js";
import type { Instruments } from "./instruments.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The bounds of what a worker does at once and of what it keeps: the options of every command that runs one. */
export interface LaneOptions extends LanePlanOptions {
  /** Jobs held at once from each of the two queues. */
  readonly concurrency?: number | undefined;
  /** Bytes of Redis for scores that are kept for other jobs; 0 keeps none. */
  readonly scoreCacheBytes?: number | undefined;
}

export interface WorkerOptions extends LaneOptions {
  readonly model: ResolvedModel;
  /** Default: the CPU. */
  readonly device?: WorkerDevice | undefined;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  /** The model's tokenizer; the worker closes it, if its start fails too. */
  readonly opened: OpenedTokenizer;
  readonly redis: RedisClient;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of prepared models. If it is absent, the model runs as it is. */
  readonly preparedDir?: string | undefined;
  readonly lockDurationMs?: number | undefined;
  /** False only to measure what sharing equal pairs saves. */
  readonly sharesEqualPairs?: boolean | undefined;
  /** Entries of BullMQ's events stream. */
  readonly eventsStreamLength?: number | undefined;
  readonly limits?: Limits | undefined;
  /** File that the worker updates every few seconds with its fitness; none if absent. */
  readonly healthFile?: string | undefined;
  /** Server of the worker's metrics and readiness; opened and closed by the caller. */
  readonly instruments?: Instruments | undefined;
  /** Aborts to give up a start; a worker that serves is closed instead. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunningWorker {
  readonly tag: string;
  readonly tokenizer: string;
  readonly laneCount: number;
  /** Process ids of the lanes at work. */
  readonly lanePids: () => readonly number[];
  /** Jobs in hand, from both queues. */
  readonly held: () => number;
  /** Whether lanes are at work. */
  readonly health: () => Health;
  /** Counts of the work that caches and equal pairs saved so far. */
  readonly reuse: () => ReuseCounts;
  /** Resolves if no lane can work any more, or Redis takes no writes any more; never rejects. */
  readonly failed: Promise<RankmillError>;
  /** Takes no more jobs, finishes or hands back those held, closes everything. */
  close(deadlineMs: number): Promise<void>;
}

/** Enough jobs of a few documents to fill every lane's batches, and the next ones tokenised. */
export const DEFAULT_CONCURRENCY = 64;
