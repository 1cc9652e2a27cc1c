import { formatCount, formatDuration } from "../figures.js";
import type { RunSpeed } from "../../src/core/run-speed.js";
import { paint, painted, type Painted } from "./painted.js";

/** The figures of a progress display. */
export interface ProgressFigures {
  readonly done: number;
  readonly failed: number;
  /** Undefined while the input's end is not known. */
  readonly total: number | undefined;
  readonly pairs: number;
  readonly tokens: number;
}

export interface Pace {
  /** Undefined until it can be told. */
  readonly speed: RunSpeed | undefined;
  readonly elapsedSeconds: number;
  /** Undefined if it cannot be told. */
  readonly leftSeconds: number | undefined;
}

/** The widest bar, and the narrowest that is worth its room, in columns. */
const MAX_BAR_COLUMNS = 30;
const MIN_BAR_COLUMNS = 6;

/** The block on a terminal: how far, and how fast. Both lines fit 60 columns. */
export function progressBlock(
  { done, failed, total }: ProgressFigures,
  { speed, elapsedSeconds, leftSeconds }: Pace,
  columns: number,
): Painted[] {
  const ended = done + failed;
  const failures = failed === 0 ? "0 failed" : `${formatCount(failed)} failed`;
  const of = total === undefined ? "" : `/${formatCount(total)}`;
  const share = total === undefined ? undefined : shareOf(ended, total);
  const percent = share === undefined ? "" : `${Math.floor(share * 100)} %  `;
  const figures = `${percent}${formatCount(ended)}${of} records · ${failures}`;
  const [full, rest] = progressBar(share, columns - figures.length - 1);
  const told = failed === 0 ? painted`${failures}` : paint("red", failures);
  const counts = figures.slice(0, figures.length - failures.length);
  const left =
    leftSeconds === undefined ? "time left not known" : `${formatDuration(leftSeconds)} left`;
  const pace = `${perSecond(speed?.pairsPerSecond)} pairs/s · ${formatDuration(elapsedSeconds)} elapsed · `;
  const tokens = ` · ${perSecond(speed?.tokensPerSecond)} tokens/s`;
  const fits = pace.length + left.length + tokens.length < columns;
  return [
    painted`${paint("green", full)}${paint("dim", rest)}${counts}${told}`,
    painted`${paint("dim", pace)}${left}${paint("dim", fits ? tokens : "")}`,
  ];
}

/** One line for a log that people or machines read later. */
export function progressLine(
  { done, failed, total }: ProgressFigures,
  { speed, leftSeconds }: Pace,
): string {
  const pairs = (speed?.pairsPerSecond ?? 0).toFixed(0);
  const tokens = (speed?.tokensPerSecond ?? 0).toFixed(0);
  return `${done + failed}/${total ?? "?"} records · ${failed} failed · ${pairs} pairs/s · ${tokens} tokens/s · ETA ${formatDuration(leftSeconds)}`;
}

function perSecond(speed = 0): string {
  return formatCount(Math.round(speed));
}

function shareOf(ended: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, ended / total);
}

/** The full and the empty part of a bar and the blank after it, in the room that the figures leave. */
export function progressBar(share: number | undefined, room: number): readonly [string, string] {
  const columns = Math.min(MAX_BAR_COLUMNS, room - 2);
  if (share === undefined || columns < MIN_BAR_COLUMNS) return ["", ""];
  const full = Math.floor(share * columns);
  return ["█".repeat(full), `${"░".repeat(columns - full)}  `];
}
