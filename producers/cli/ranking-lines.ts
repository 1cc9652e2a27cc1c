import type { RerankRequest, WireRanking } from "../../src/core/contract.js";
import { cutText } from "./cut-text.js";
import { paint, painted, type Painted } from "./painted.js";

const SCORE_DIGITS = 4;
/** Documents whose name is longer have it cut. */
const MOST_NAME_COLUMNS = 24;

/**
 * A ranking for people: the query, then its documents with their scores, best first.
 *
 * @param request undefined if the input is not at hand: ids stand in for texts
 */
export function rankingLines(
  ranking: WireRanking,
  request: RerankRequest | undefined,
  { documents, columns }: { readonly documents: number; readonly columns: number },
): Painted[] {
  const shown = ranking.results.slice(0, documents);
  const names = shown.map(({ id, index }) => cutText(id ?? `#${index}`, MOST_NAME_COLUMNS));
  const width = Math.max(0, ...names.map((name) => name.length));
  const rows = shown.map(({ index, relevance_score: score, truncated }, i) => {
    const start = `  ${score.toFixed(SCORE_DIGITS).padStart(8)}  `;
    const cut = truncated === true ? "cut " : "";
    const room = columns - start.length - width - 3 - cut.length;
    const text = cutText(request?.documents[index]?.text ?? "", Math.max(0, room));
    const name = (names[i] ?? "").padEnd(width);
    return painted`${paint("cyan", start)}${paint("dim", name)}  ${paint("yellow", cut)}${text}`;
  });
  const rest = ranking.results.length - shown.length;
  const query = request === undefined ? "" : cutText(request.query, columns - 1);
  return [
    paint("bold", query === "" ? ranking.id : query),
    ...(query === "" ? [] : [paint("dim", `  ${ranking.id}`)]),
    ...rows,
    ...(rest === 0 ? [] : [paint("dim", `  … and ${rest} more`)]),
  ];
}
