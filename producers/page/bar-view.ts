/** The standing of a run: its state in a word, its progress as a bar. */
import type { RunState } from "../../src/runs/run-status.js";
import { formatCount } from "../figures.js";
import { formatPercent } from "./format.js";
import { markup, type Markup } from "./markup.js";

const STATES: Readonly<Record<RunState, string>> = {
  submitting: "being submitted",
  submitted: "running",
  complete: "complete",
  cancelled: "cancelled",
  failed: "given up",
};

export interface Standing {
  readonly state: RunState;
  readonly total: number;
  readonly done: number;
  /** Those that a cancellation has stopped among them. */
  readonly failed: number;
  readonly stopped: number;
}

export function stateView({ state, done, failed }: Standing): Markup {
  const word = state === "submitted" && done + failed === 0 ? "waiting" : STATES[state];
  return markup`<span class="state ${state}">${word}</span>`;
}

/** Done in green, failed in red; and the same in words below. */
export function barView(standing: Standing, size: "small" | "large" = "small"): Markup {
  const { total, done, stopped } = standing;
  const failed = standing.failed - stopped;
  const share = (count: number): string =>
    (total <= 0 ? 0 : Math.min(100, (100 * count) / total)).toFixed(2);
  const words = `${formatCount(done + failed)} of ${formatCount(total)} records`;
  const label = [
    words,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(stopped > 0 ? [`${formatCount(stopped)} stopped`] : []),
  ].join(", ");
  return markup`<svg class="bar ${size}" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="done" width="${share(done)}" height="1"/><rect class="failed" x="${share(done)}" width="${share(failed)}" height="1"/></svg><span class="under"><span>${words}${failed > 0 ? markup` · <span class="bad">${formatCount(failed)} failed</span>` : ""}${stopped > 0 ? ` · ${formatCount(stopped)} stopped` : ""}</span><span>${formatPercent(done + failed, total)}</span></span>`;
}
