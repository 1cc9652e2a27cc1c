/** Figures as people read them. */
import { formatBytes } from "../cli/format-bytes.js";
import { markup, type Markup } from "./markup.js";

export { formatBytes };

/** `1,234`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `8.1`, `812`, `1,234`. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** `0 %`, `99 %`; never 100 before the end. */
export function formatPercent(part: number, all: number): string {
  return `${all <= 0 ? 0 : Math.floor((100 * part) / all)} %`;
}

/** `45 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return joined(minutes, "min", whole % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, "h", minutes % 60, "min");
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joined(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/** A score or a bound of scores: `0.53`, `12.4`, `-3`. */
export function formatScore(score: number): string {
  const size = Math.abs(score);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 3;
  return score
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}

/** A moment in UTC: hosts and readers need not share a time zone. */
export function timeView(iso: string): Markup {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return markup`${iso}`;
  const text = date.toISOString();
  return markup`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 16)} UTC</time>`;
}
