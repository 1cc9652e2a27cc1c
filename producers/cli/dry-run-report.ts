import { drawHistogram } from "../../src/runs/token-histogram.js";
import type { DryRun } from "../../src/app/dry-run.js";
import { counted } from "../../src/core/counted.js";
import { formatBytes } from "./format-bytes.js";
import { formatDuration } from "./format-duration.js";
import { reasonWithFlags } from "./say-error.js";

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The dry run as lines for people. */
export function reportDryRun(figures: DryRun): string[] {
  const { records, failed, documents, pairs, tokens, maxLength, redis, disk, time } = figures;
  const sample =
    tokens.sampledPairs === documents
      ? "all pairs"
      : `an even sample of ${tokens.sampledPairs} pairs`;
  if (records + failed === 0) return ["the input holds no record: there is nothing to do"];
  return [
    `${figures.model} ${figures.precision}`,
    `${counted(records, "record")}, ${counted(documents, "pair")}; lines or candidates that would fail: ${failed}`,
    ...figures.failures.map(
      ({ line, code, reason }) => `  line ${line}: ${code}: ${reasonWithFlags(reason)}`,
    ),
    "",
    `tokens per pair, of ${sample}: mean ${tokens.mean.toFixed(0)}, median ${tokens.median}, longest ${tokens.longest}`,
    ...drawHistogram(tokens.histogram),
    figures.windows === undefined
      ? `${percent(tokens.truncatedShare)} would be truncated at ${maxLength} tokens`
      : `${percent(figures.windows.splitShare)} would be split: about ${pairs} windows in all, each scored as a pair of up to ${maxLength} tokens, and ${figures.windows.most} of one document at the most; ${percent(tokens.truncatedShare)} would not be read to their end`,
    "",
    `Redis: ${formatBytes(redis.bytes)} for ${counted(redis.inFlightJobs, "job")} in flight`,
    `disk:  ${formatBytes(disk.bytes)} of rankings as JSONL`,
    pairs === 0
      ? "time:  nothing to score"
      : `time:  about ${formatDuration(time.expectedSeconds)} on ${counted(time.lanes, "lane")}: one scores ${time.scoredPairsPerSecond.toFixed(0)} pairs/s (${time.scoredPairs} scored), the tokenizer takes ${time.tokenizedPairsPerSecond.toFixed(0)} pairs/s`,
  ];
}
