import type { LanePlanOptions } from "../../src/capacity/cpu-plan.js";
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
] as const;

export function lanePlanOptions(
  values: Values<(typeof LANE_OPTION_NAMES)[number]>,
): LanePlanOptions {
  const { lanes, threads, maxBatchTokens, maxBatchSize, memoryLimitBytes } = values;
  return {
    lanes,
    threads,
    maxBatchTokens,
    maxBatchSize,
    memoryLimitBytes,
    tokenCacheBytes: values.tokenCacheBytes,
    calibrationDir: values.calibrate === false ? undefined : calibrationDir(values.calibrationDir),
  };
}
