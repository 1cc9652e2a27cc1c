/** Figures as people read them. */
import { formatCount } from "../figures.js";
import { markup, type Markup } from "./markup.js";

/** `8.1`, `812`, `1,234`. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
}

/** `0 %`, `99 %`; never 100 before the end. */
export function formatPercent(part: number, all: number): string {
  return `${all <= 0 ? 0 : Math.floor((100 * part) / all)} %`;
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
