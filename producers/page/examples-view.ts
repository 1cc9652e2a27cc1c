/** Examples of a run: failures by their code, and rankings before and after. */
import type { RankedExample, RunExamples } from "../../src/app/runs/run-examples.js";
import type { RecordFailure } from "../../src/core/record.js";
import { counted } from "../../src/core/counted.js";
import { inputLine } from "../../src/runs/failure-listing.js";
import { formatCount } from "../figures.js";
import { formatScore } from "./format.js";
import { markup, type Markup } from "./markup.js";

const MOST_TEXT_CHARS = 280;
const MOST_SHOWN_DOCUMENTS = 10;

export function failuresView(
  failedByCode: Readonly<Record<string, number>>,
  examples: RunExamples | undefined,
): Markup {
  const codes = Object.entries(failedByCode).sort(([, one], [, other]) => other - one);
  if (codes.length === 0) return markup`<p class="empty">No record has failed.</p>`;
  return markup`${codes.map(([code, count]) => {
    const some = examples?.failures.get(code) ?? [];
    const list = some.length === 0 ? "" : markup`<ul>${some.map(failureView)}</ul>`;
    return markup`<div class="failure"><h3><span class="bad">${formatCount(count)}</span> <span>${code}</span></h3>${list}</div>`;
  })}`;
}

function failureView(failure: RecordFailure): Markup {
  const { line, id, reason, input } = failure;
  const text = input == null ? "" : markup`<code>${cut(inputLine(failure))}</code>`;
  return markup`<li>line ${line}${id === undefined ? "" : markup` · ${id}`} · ${reason}${text}</li>`;
}

export function rankingsView({ rankings }: RunExamples, showsTexts: boolean): Markup {
  if (rankings.length === 0) return markup`<p class="empty">No record is ranked yet.</p>`;
  const hidden = showsTexts
    ? ""
    : markup`<p class="quiet">Texts are hidden, unless the server is started with <code>--show-texts</code>.</p>`;
  return markup`${hidden}${rankings.map((one, place) => rankingView(one, place === 0))}`;
}

function rankingView({ ranking, request }: RankedExample, isOpen: boolean): Markup {
  const { id, results, errors } = ranking;
  const scores = results.map(({ relevance_score: score }) => score);
  const [most, least] = [Math.max(...scores), Math.min(0, ...scores)];
  const rows = results.slice(0, MOST_SHOWN_DOCUMENTS).map((result, place) => {
    const document = request?.documents[result.index];
    const name = result.id ?? markup`document ${result.index + 1}`;
    const text = document === undefined ? "" : markup`<br>${cut(document.text)}`;
    const score = result.relevance_score;
    const share = most === least ? 100 : (100 * (score - least)) / (most - least);
    return markup`<tr><td class="number">${place + 1}</td><td class="number before">${result.index + 1}</td><td>${moveView(result.index - place)}</td>
<td class="text"><span class="quiet">${name}</span>${text}</td><td class="score">${formatScore(score)}<svg class="meter" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${share.toFixed(1)}" height="1"/></svg></td></tr>`;
  });
  const more = results.length - rows.length;
  const failed = errors?.length ?? 0;
  const rest = [
    more > 0 ? `${counted(more, "more document")} below` : "",
    failed > 0 ? `${counted(failed, "document")} without a score` : "",
  ].filter((part) => part !== "");
  return markup`<details${isOpen ? markup` open` : ""}><summary>${request === undefined ? id : cut(request.query)} <span>${request === undefined ? "" : markup`${id} · `}${counted(results.length, "document")}</span></summary>
<div class="wide" tabindex="0" role="region" aria-label="Ranking of ${id}"><table class="ranking"><thead><tr><th scope="col" class="number">Now</th><th scope="col" class="number">Before</th><th scope="col">Moved</th><th scope="col">Document</th><th scope="col">Score</th></tr></thead>
<tbody>${rows}</tbody></table></div>${rest.length === 0 ? "" : markup`<p class="quiet">${rest.join(", ")}.</p>`}</details>`;
}

/** @param places up, if positive */
function moveView(places: number): Markup {
  if (places === 0) return markup`<span class="same">=</span>`;
  const way = places > 0 ? "up" : "down";
  return markup`<span class="${way}"><span class="skip">${way} </span><span aria-hidden="true">${places > 0 ? "▲" : "▼"}</span> ${Math.abs(places)}</span>`;
}

function cut(text: string): string {
  return text.length > MOST_TEXT_CHARS ? `${text.slice(0, MOST_TEXT_CHARS)}…` : text;
}
