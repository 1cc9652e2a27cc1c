/** The page of all runs. */
import { numbersName } from "../../src/core/forms/numbers.js";
import { isOver, type RunRow } from "../../src/app/runs/list-rows.js";
import { barView, stateView } from "./bar-view.js";
import { formatDuration } from "../figures.js";
import { formatRate, timeView } from "./format.js";
import { markup, type Markup } from "./markup.js";
import type { Links } from "./shell.js";
import type { Ways } from "./viewer.js";

export interface ListPage {
  readonly rows: readonly RunRow[];
  readonly hasMore: boolean;
  /** Whether the page begins with the newest run. */
  readonly isFirst: boolean;
}

export function listView(
  { rows, hasMore, isFirst }: ListPage,
  links: Links,
  { submit }: Pick<Ways, "submit">,
): Markup {
  const title = markup`<div class="top"><h1>Runs</h1><span id="news"></span><span id="live-state" class="quiet" role="status"></span></div>`;
  const last = rows.at(-1);
  if (last === undefined) {
    return markup`${title}<div data-live="${eventsOf(rows, isFirst, links)}"><p class="empty">${
      isFirst
        ? markup`No run has been submitted yet. <code>${submit}</code> submits one.`
        : "There are no older runs."
    }</p></div>`;
  }
  const pages = [
    isFirst ? "" : markup`<a class="button" href="${links.list()}">Newest</a>`,
    hasMore ? markup`<a class="button" rel="next" href="${links.list(last.id)}">Older</a>` : "",
  ];
  return markup`${title}
<table class="runs" data-live="${eventsOf(rows, isFirst, links)}"><caption class="skip">Runs, the newest first</caption>
<thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col" class="number">Pairs/s</th><th scope="col" class="number">Time left</th><th scope="col">Model</th></tr></thead>
<tbody>${rows.map((row) => rowView(row, links))}</tbody></table>
<nav class="pages" aria-label="More runs">${pages.map((page) => markup`${page}`)}</nav>`;
}

function eventsOf(rows: readonly RunRow[], isFirst: boolean, links: Links): string {
  const query = new URLSearchParams(rows.map(({ id }): [string, string] => ["run", id]));
  if (isFirst) query.set("newest", "yes");
  return links.at(`/events?${query.toString()}`);
}

function rowView(row: RunRow, links: Links): Markup {
  const { id, input, createdAt, model } = row;
  const parts = rowParts(row);
  const cell = (part: keyof typeof parts): Markup =>
    markup`id="${partId(part, id)}">${parts[part]}</td>`;
  return markup`<tr><td class="name"><a href="${links.run(id)}">${id}</a><span>${input} · ${timeView(createdAt)}</span></td>
<td ${cell("state")}
<td class="progress" ${cell("progress")}
<td class="number" data-label="pairs/s" ${cell("speed")}
<td class="number" data-label="left" ${cell("left")}
<td class="model">${model} <span class="quiet">${numbersName(row)}</span></td></tr>`;
}

/** The parts of a row that change while the run goes. */
function rowParts(row: RunRow): Record<"state" | "progress" | "speed" | "left", Markup> {
  const { pairsPerSecond, secondsLeft } = row;
  const notKnown = isOver(row.state) ? "" : "–";
  return {
    state: stateView(row),
    progress: barView(row),
    speed: markup`${pairsPerSecond === undefined ? notKnown : formatRate(pairsPerSecond)}`,
    left: markup`${secondsLeft === undefined ? notKnown : formatDuration(secondsLeft)}`,
  };
}

/** The same parts by the ids of their places. */
export function liveRow(row: RunRow): [string, string][] {
  return Object.entries(rowParts(row)).map(([part, { text }]) => [partId(part, row.id), text]);
}

function partId(part: string, run: string): string {
  return `${part}-${run}`;
}

export function newsView(links: Links): Markup {
  return markup`<a class="button" href="${links.list()}">Show newer runs</a>`;
}
