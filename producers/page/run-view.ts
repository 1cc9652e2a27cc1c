/** The page of one run. */
import { numbersName } from "../../src/core/forms/numbers.js";
import type { RunPicture } from "../../src/app/runs/run-picture.js";
import { CANCELLED } from "../../src/runs/run-item.js";
import { barView, stateView } from "./bar-view.js";
import { failuresView, rankingsView } from "./examples-view.js";
import type { FoundExamples } from "./found-examples.js";
import { formatBytes, formatCount, formatDuration } from "../figures.js";
import { formatRate, timeView } from "./format.js";
import { histogramView } from "./histogram-view.js";
import { markup, type Markup } from "./markup.js";
import type { Links } from "./shell.js";
import { speedView } from "./speed-view.js";
import type { Viewer } from "./viewer.js";
import { workersView } from "./workers-view.js";

type Shown = Pick<Viewer, "showsTexts" | "showsHosts">;

export interface RunPage {
  readonly id: string;
  readonly picture: RunPicture;
  readonly found: FoundExamples;
  readonly redisBytes: number | undefined;
  readonly viewer: Shown & Pick<Viewer, "mayAct" | "ways">;
  /** The outcome of an action that was just done. */
  readonly told: string | undefined;
}

export function runView(page: RunPage, links: Links): Markup {
  const { id, picture, found, told, viewer } = page;
  const parts = runParts(picture, found, viewer);
  const part = (name: keyof typeof parts): Markup => markup`<div id="${name}">${parts[name]}</div>`;
  const live = picture.status.over ? "" : markup` data-live="${links.run(id, "/events")}"`;
  return markup`<div class="top"${live}><h1>${id}</h1><span id="live-state" class="quiet" role="status"></span>${actionsView(page, links)}</div>
${told === undefined ? "" : markup`<p class="told" role="status">${told}</p>`}
<section class="panel" aria-label="Progress">${part("standing")}</section>
<div class="pair"><section class="panel"><h2>Speed over time</h2>${part("speed")}</section>
<section class="panel"><h2>Scores</h2>${part("scores")}</section></div>
<section class="panel"><h2>Failures</h2>${part("failures")}</section>
<section class="panel"><h2>Rankings, a sample</h2><div id="rankings">${rankingsPart(found, viewer)}</div></section>
<section class="panel"><h2>Workers</h2>${part("workers")}</section>
<section class="panel"><h2>Settings</h2>${settingsView(page)}</section>`;
}

function runParts(picture: RunPicture, found: FoundExamples, { showsHosts }: Shown) {
  const { status, series, workers, info } = picture;
  const { counts } = status;
  const examples = found.status === "found" ? found.examples : undefined;
  return {
    standing: standingView(picture),
    speed: speedView(series),
    scores: histogramView(counts.scores),
    failures: failuresView(counts.failedByCode, examples),
    workers: workersView(workers, info.model, showsHosts),
  };
}

function rankingsPart(found: FoundExamples, { showsTexts }: Shown): Markup {
  if (found.status === "found") return rankingsView(found.examples, showsTexts);
  return markup`<p class="empty">${found.reason}</p>`;
}

/** The parts that change while the run goes, by the ids of their places. */
export function liveRun(
  picture: RunPicture,
  found: FoundExamples,
  shown: Shown,
): [string, string][] {
  const ids: [string, Markup][] = Object.entries(runParts(picture, found, shown));
  // An open ranking would close under the reader's eyes: they change at the end alone.
  if (picture.status.over) ids.push(["rankings", rankingsPart(found, shown)]);
  return ids.map(([name, { text }]) => [name, text]);
}

function standingView({ status, info, speed, secondsLeft, owner, workers }: RunPicture): Markup {
  const { counts, state, total, waiting, active, over } = status;
  const stopped = counts.failedByCode[CANCELLED.code] ?? 0;
  const standing = { state, total, done: counts.done, failed: counts.failed, stopped };
  const tiles: [string, string][] = [
    ["Ranked", formatCount(counts.done)],
    ["Failed", formatCount(counts.failed - stopped)],
    ...(stopped > 0 ? ([["Stopped", formatCount(stopped)]] satisfies [string, string][]) : []),
    ["Pairs", formatCount(counts.pairs)],
    ...(over
      ? ([["Tokens", formatCount(counts.tokens)]] satisfies [string, string][])
      : ([
          ["Pairs/s", speed === undefined ? "–" : formatRate(speed.pairsPerSecond)],
          ["Time left", secondsLeft === undefined ? "–" : formatDuration(secondsLeft)],
          ["In hand", formatCount(active)],
          ["Waiting", formatCount(waiting)],
        ] satisfies [string, string][])),
    ["Documents cut", formatCount(counts.truncated)],
  ];
  const problem =
    state === "failed" && info.problem !== "" ? markup`<p class="bad">${info.problem}</p>` : "";
  const stalled =
    !over && workers.length === 0
      ? markup`<p class="bad">No worker serves the model, so nothing moves.</p>`
      : !over && info.spooled === "yes" && owner === undefined
        ? markup`<p class="bad">No runner owns this run at present: <code>rankmill runner --spool PLACE</code> starts one.</p>`
        : "";
  return markup`<p class="under"><span>${stateView(standing)}</span><span>${info.model} ${numbersName(info)}</span></p>
${barView(standing, "large")}${problem}${stalled}
<dl class="tiles">${tiles.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function actionsView({ id, picture, viewer }: RunPage, links: Links): Markup | string {
  if (!viewer.mayAct) return "";
  const { over, counts, state } = picture.status;
  const link = (action: string, word: string): Markup =>
    markup`<a class="button" href="${links.run(id, `/${action}`)}">${word}</a>`;
  const retries = over && (counts.failed > 0 || state !== "complete");
  return markup`<div class="actions">${retries ? link("retry", "Retry") : ""}${over ? "" : link("cancel", "Cancel")}${link("purge", "Purge")}</div>`;
}

function settingsView({ id, picture, redisBytes, viewer }: RunPage): Markup {
  const { info, owner } = picture;
  const days = formatDuration(info.ttlSeconds);
  const facts: [string, string | Markup][] = [
    [
      "Model",
      markup`${info.model} ${numbersName(info)} <span class="quiet">${info.revision}</span>`,
    ],
    ["Tag", markup`<code>${info.tag}</code>`],
    ["Input", info.input],
    ["Submitted", timeView(info.createdAt)],
    ["Kept for", days],
    ["Lies in", info.spooled === "yes" ? "a spool" : "Redis"],
    ["Memory in Redis", redisBytes === undefined ? "not known" : formatBytes(redisBytes)],
    ...(info.spooled === "yes" && viewer.showsHosts
      ? ([["Runner", owner ?? "none at present"]] satisfies [string, string][])
      : []),
    ["Most tokens of a pair", formatCount(info.maxLength)],
    ["Cuts", info.truncation],
    ["Long documents", info.longDocuments],
    ...(info.longDocuments === "truncate"
      ? []
      : ([
          [
            "Windows of a document",
            `${info.maxWindows} at most, ${info.overlapTokens} tokens overlap`,
          ],
        ] satisfies [string, string][])),
    ["Scores", info.score],
    ["Failures", markup`<code>${viewer.ways.failures(id)}</code>`],
  ];
  return markup`<dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
