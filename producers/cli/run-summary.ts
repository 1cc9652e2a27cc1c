import { formatCount, formatDuration } from "../figures.js";
import type { RunCounts } from "../../src/core/run-counts.js";
import { paint, painted, type Painted } from "./painted.js";

/** The end of a run in two lines: how many, how much, how fast. */
export function runSummary(counts: Readonly<RunCounts>, seconds: number): Painted[] {
  const { done, failed, pairs, tokens, truncated } = counts;
  const speed = seconds > 0 ? ` (${formatCount(Math.round(pairs / seconds))} pairs/s)` : "";
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
