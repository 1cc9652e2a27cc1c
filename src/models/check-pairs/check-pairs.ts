/** The pairs on which the precisions of a model are compared. */
import type { CatalogueEntry } from "../../core/catalogue.js";
import { CHECK_TEXTS, LONG_ANSWER, LONG_QUERY } from "./check-texts.js";

/** A query and a document. */
export interface CheckPair {
  readonly query: string;
  readonly document: string;
}

/** Times that all texts stand one after another in the longest one: more than any pair reads by default. */
const REPEATS = 3;

/**
 * The pairs that its publisher has scores of, and those of a fixed set. The published ones are four to seven short
 * texts, mostly: alone they would miss what long texts and other languages do to a coarse precision.
 */
export function checkPairs(entry: CatalogueEntry | undefined): CheckPair[] {
  const published = (entry?.published ?? []).map(({ query, document }) => ({ query, document }));
  return [...published, ...shortPairs(), ...longPairs()];
}

function shortPairs(): CheckPair[] {
  return CHECK_TEXTS.flatMap(({ query, answer, near, other }) =>
    [answer, near, other].map((document) => ({ query, document })),
  );
}

/** Of some hundred tokens, and cut at the longest pair; with the answer, and without. */
function longPairs(): CheckPair[] {
  const texts = CHECK_TEXTS.flatMap(({ answer, near, other }) => [answer, near, other]);
  const some = texts.slice(0, texts.length / CHECK_TEXTS.length).join(" ");
  const all = Array.from({ length: REPEATS }, () => texts.join(" ")).join(" ");
  return [
    { query: LONG_QUERY, document: `${some} ${LONG_ANSWER} ${some}` },
    { query: LONG_QUERY, document: some },
    { query: LONG_QUERY, document: `${LONG_ANSWER} ${all}` },
    { query: LONG_QUERY, document: all },
  ];
}
