import { formatCount, formatDuration } from "../figures.js";
import type { RunCounts } from "../../src/core/run-counts.js";
import { paint, painted, type Painted } from "./painted.js";

/**
 * The end of a run in two lines: how many, how much, how fast.
 *
 * @param pairsBefore those that an earlier process has scored: they say nothing of the speed
 */
export function runSummary(
  counts: Readonly<RunCounts>,
  pairsBefore: number,
  seconds: number,
): Painted[] {
  const { done, failed, pairs, tokens, truncated } = counts;
  const own = pairs - pairsBefore;
  const isTold = seconds > 0 && (own > 0 || pairsBefore === 0);
  const speed = isTold ? ` (${formatCount(Math.round(own / seconds))} pairs/s)` : "";
  return [
    painted`${paint("green", `${done} ranked`)}, ${paint(failed > 0 ? "red" : "dim", `${failed} failed`)} · ${formatDuration(seconds)}`,
    paint(
      "dim",
      `${countOf(pairs, "pair")}${speed}, ${countOf(tokens, "token")}, ${formatCount(truncated)} truncated`,
    ),
  ];
}

/** `1 pair`, `1,234 pairs` */
function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : `${noun}s`}`;
}
