/** The plan of a worker's lanes: how many there are, what each runs at once, and in how much memory. */
import type { Logger } from "pino";
import type { BatchShape } from "../core/cost/lane-cost.js";
import type { WorkerDevice } from "../inference/devices/registry.js";
import type { LaneProcessOptions } from "../inference/lanes/lane-process.js";
import type { LaneModel } from "../inference/lanes/lane-protocol.js";
import type { ResolvedModel } from "../models/resolve.js";
import type { BatchMemory } from "../pipeline/batch/batch-memory.js";
import type { BatcherOptions } from "../pipeline/batch/batcher.js";
import type { PlannedTokenizer } from "./tokenizer-memory.js";
import type { LaneForecast } from "./lane-forecast.js";
import type { PayloadMemory } from "./payload-memory.js";

/** The choices of an operator. */
export interface LanePlanOptions {
  readonly lanes?: number | undefined;
  readonly threads?: number | undefined;
  readonly maxBatchTokens?: number | undefined;
  readonly maxBatchSize?: number | undefined;
  /** Default: the control group's limit, else what the host has. */
  readonly memoryLimitBytes?: number | undefined;
  /** Holds one file per calibration; nothing is measured or kept if absent. */
  readonly calibrationDir?: string | undefined;
  /** Bytes for tokens of texts that come again; less if memory is short. None if absent. */
  readonly tokenCacheBytes?: number | undefined;
}

export interface LanePlanRequest
  extends LanePlanOptions, Pick<LaneProcessOptions, "entryPath" | "openTimeoutMs" | "env"> {
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  /** The way in which a lane opens the model before anything is planned. */
  readonly laneModel: LaneModel;
  readonly maxJobBytes: number;
  readonly tokenizer: PlannedTokenizer;
  readonly logger: Logger;
}

export interface LanePlan {
  readonly lanes: number;
  /** The way in which each lane opens the model: with its threads, its lengths of rows and its warm-up. */
  readonly laneModel: LaneModel;
  readonly limits: BatcherOptions["limits"];
  /** The amount that travels to a lane at once, if the device wants more of it than a CPU. */
  readonly messages?: Partial<BatcherOptions> | undefined;
  /** True if no bit of a score depends on its batch. */
  readonly keepsBits: boolean;
  readonly memory: BatchMemory;
  readonly deadlineMs: (batches: readonly BatchShape[]) => number;
  /** Milliseconds of a batch; undefined if it was not measured. */
  readonly batchMs: ((rows: number, longest: number) => number) | undefined;
  /** Speed and memory of all lanes; undefined if they were not measured. */
  readonly forecast: LaneForecast | undefined;
  readonly payloads: PayloadMemory;
  /** Memory limit within which all of it was planned. */
  readonly memoryLimitBytes: number;
  /** Bytes of the model that the lanes map together. */
  readonly sharedBytes: number;
  readonly tokenCacheBytes: number;
  /** Larger jobs do not fit the memory limit. */
  readonly maxJobBytes: number;
}
