import { formatBytes, formatDuration } from "../figures.js";
import { numbersName } from "../../src/core/forms/numbers.js";
import { drawHistogram } from "../../src/runs/token-histogram.js";
import type { DryRun } from "../../src/app/dry-run.js";
import { counted } from "../../src/core/counted.js";
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
    `${figures.model} ${numbersName(figures)}`,
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
    ...(pairs === 0 ? ["time:  nothing to score"] : timeLines(time)),
  ];
}

/** The time, and how it comes about. */
function timeLines(time: DryRun["time"]): string[] {
  const { cores, lanes, measuredLanes, startSeconds, handlingSeconds, expectedSeconds } = time;
  const together = measuredLanes === 1 ? "alone" : `${measuredLanes} at once`;
  const parts = [seconds(time.tokenizingSeconds), seconds(handlingSeconds)];
  const all = time.lanesTakeCores ? [seconds(time.scoringSeconds), ...parts] : parts;
  const byCores = time.workSeconds / cores;
  const byLanes = time.scoringSeconds / lanes;
  const lanesAre = byLanes > byCores;
  const busy = lanesAre
    ? `${seconds(time.scoringSeconds)} / ${counted(lanes, "lane")} = ${seconds(byLanes)}`
    : `(${all.join(" + ")}) / ${counted(cores, "core")} = ${seconds(byCores)}`;
  return [
    `time:  about ${formatDuration(expectedSeconds)}`,
    `  scoring   ${seconds(time.scoringSeconds)}: ${counted(time.pairs, "pair")} at ${time.pairsPerSecond.toFixed(0)} per second and lane (${time.scoredPairs} scored, lanes measured ${together})`,
    `  tokens    ${seconds(time.tokenizingSeconds)}: ${counted(time.differentDocuments, "different document")} at ${time.tokenizedPerSecond.toFixed(0)} per second; those that come again are found again`,
    `  handling  ${seconds(handlingSeconds)}: the input is read, jobs are packed and unpacked`,
    `  start     ${seconds(startSeconds)}: the program, Redis and lanes`,
    `  ${busy}; with the start ${seconds(expectedSeconds)}`,
  ];
}

function seconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
}
