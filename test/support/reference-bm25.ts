/**
 * BM25 once more, from token ids, with strings and maps and in double precision: shares nothing
 * with the graph but the published constants and the vocabulary.
 */
import * as K from "../../models/builtin-bm25/constants.js";
import type { Vocabulary } from "../../models/builtin-bm25/vocabulary.js";

interface Word {
  readonly text: string;
  readonly pieces: number;
}

const FIRST_WORD_ID = 5;

function wordsOf(ids: readonly number[], vocabulary: Vocabulary): Word[] {
  const words: Word[] = [];
  for (const id of ids) {
    const token = vocabulary.tokens[id] ?? "";
    const last = words.at(-1);
    if (id < FIRST_WORD_ID) continue;
    if (!token.startsWith("##")) words.push({ text: token, pieces: 1 });
    else if (last !== undefined) {
      words[words.length - 1] = { text: last.text + token.slice(2), pieces: last.pieces + 1 };
    }
  }
  return words;
}

const isLatin = (text: string) => /^[a-z]+$/u.test(text);

/** The word without a plural s; of a word of more than 13 letters, its first 13. */
function stemOf(text: string): string | undefined {
  if (!isLatin(text)) return undefined;
  if (text.length > 13) return text.slice(0, 13);
  return text.length >= 4 && /[^s]s$/u.test(text) ? text.slice(0, -1) : text;
}

function prefixOf(text: string): string | undefined {
  const stem = stemOf(text);
  const letters = stem === undefined ? 0 : text.length > 13 ? text.length : stem.length;
  return letters >= K.PREFIX_LETTERS ? stem?.slice(0, K.PREFIX_LETTERS) : undefined;
}

function countOf(words: readonly Word[], key: (text: string) => string | undefined) {
  const counts = new Map<string, number>();
  for (const { text } of words) {
    const value = key(text);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return (text: string) => counts.get(key(text) ?? "") ?? 0;
}

/** @returns a function from the ids of query and document, without special tokens, to the logit */
export function referenceBm25(vocabulary: Vocabulary) {
  const listed = new Map(
    vocabulary.listedIdf.map((idf, index) => [
      vocabulary.tokens[vocabulary.listedStart + index] ?? "",
      idf,
    ]),
  );
  const idfOf = ({ text, pieces }: Word): number => {
    const own = listed.get(text);
    if (own !== undefined && pieces === 1) return own;
    const table = isLatin(text) ? K.IDF_BY_LETTERS : K.IDF_BY_PIECES;
    return table[isLatin(text) ? text.length : pieces] ?? Number.NaN;
  };

  return (queryIds: readonly number[], documentIds: readonly number[]): number => {
    const query = wordsOf(queryIds, vocabulary);
    const document = wordsOf(documentIds, vocabulary);
    const relative = Math.min(
      document.length / K.AVERAGE_DOCUMENT_WORDS,
      K.LONGEST_RELATIVE_LENGTH,
    );
    const norm = K.K1 * (1 - K.B + K.B * relative);
    const saturate = (frequency: number) => (frequency * (K.K1 + 1)) / (frequency + norm);

    const exactCount = countOf(document, (text) => text);
    const stemCount = countOf(document, stemOf);
    const prefixCount = countOf(document, prefixOf);
    const pairs = new Map<string, number>();
    for (const [index, { text }] of document.entries()) {
      const pair = `${text} ${document[index + 1]?.text}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }

    let score = 0;
    let total = 0;
    for (const [index, word] of query.entries()) {
      const exact = exactCount(word.text);
      const stem = Math.max(stemCount(word.text), exact);
      const prefix = Math.max(prefixCount(word.text), stem);
      const gain = saturate(
        exact + K.PLURAL_WEIGHT * (stem - exact) + K.PREFIX_WEIGHT * (prefix - stem),
      );
      score += idfOf(word) * (exact > 0 ? gain : Math.min(gain, K.PARTIAL_CAP));
      total += idfOf(word);
      const next = query[index + 1];
      if (next === undefined) continue;
      const together = pairs.get(`${word.text} ${next.text}`) ?? 0;
      score += (K.NEIGHBOUR_WEIGHT * (idfOf(word) + idfOf(next)) * saturate(together)) / 2;
    }
    const share = score === 0 ? 0 : score / (score + K.HALF_SCORE * total);
    return K.LOWEST_LOGIT + (K.HIGHEST_LOGIT - K.LOWEST_LOGIT) * share;
  };
}
