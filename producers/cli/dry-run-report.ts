import { drawHistogram } from "../../src/runs/token-histogram.js";
import type { DryRun } from "./dry-run.js";
import { formatBytes } from "./format-bytes.js";
import { formatDuration } from "./progress.js";

/** The dry run as lines for people. */
export function reportDryRun(figures: DryRun): string[] {
  const { records, failed, pairs, tokens, maxLength, redis, disk, time } = figures;
  const sample =
    tokens.sampledPairs === pairs ? "all pairs" : `an even sample of ${tokens.sampledPairs} pairs`;
  return [
    `${figures.model} ${figures.precision}`,
    `${records} records, ${pairs} pairs; ${failed} lines or candidates would fail`,
    ...figures.failures.map(({ line, code, reason }) => `  line ${line}: ${code}: ${reason}`),
    "",
    `tokens a pair, of ${sample}: mean ${tokens.mean.toFixed(0)}, median ${tokens.median}, longest ${tokens.longest}`,
    ...drawHistogram(tokens.histogram),
    `${(100 * tokens.truncatedShare).toFixed(1)} % would be truncated at ${maxLength} tokens`,
    "",
    `Redis: ${formatBytes(redis.bytes)} for a window of ${redis.windowJobs} jobs`,
    `disk:  ${formatBytes(disk.bytes)} of rankings as JSONL`,
    pairs === 0
      ? "time:  nothing to score"
      : `time:  about ${formatDuration(time.expectedSeconds)} on ${time.lanes} lanes: one scores ${time.scoredPairsPerSecond.toFixed(0)} pairs/s (${time.scoredPairs} scored), the tokenizer takes ${time.tokenizedPairsPerSecond.toFixed(0)} pairs/s`,
  ];
}
