import type { LaneOptions } from "../../src/app/worker/worker-options.js";
import { calibrationDir } from "./context.js";
import type { Values } from "./option-values.js";

/** The options of every command that runs lanes. */
export const LANE_OPTION_NAMES = [
  "lanes",
  "threads",
  "maxBatchTokens",
  "maxBatchSize",
  "memoryLimitBytes",
  "calibrationDir",
  "tokenCacheBytes",
  "calibrate",
  "concurrency",
  "scoreCacheBytes",
] as const;

export function laneOptions(values: Values<(typeof LANE_OPTION_NAMES)[number]>): LaneOptions {
  const { lanes, threads, maxBatchTokens, maxBatchSize, memoryLimitBytes } = values;
  return {
    lanes,
    threads,
    maxBatchTokens,
    maxBatchSize,
    memoryLimitBytes,
    tokenCacheBytes: values.tokenCacheBytes,
    concurrency: values.concurrency,
    scoreCacheBytes: values.scoreCacheBytes,
    calibrationDir: values.calibrate === false ? undefined : calibrationDir(values.calibrationDir),
  };
}
