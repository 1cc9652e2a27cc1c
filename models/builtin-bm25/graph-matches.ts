import type { GraphBuilder } from "./graph-builder.js";
import type { Words } from "./graph-words.js";

/** One number per query word, float [B, Q]; 0 in the slots that hold none. */
export interface Matches {
  readonly idf: string;
  /** Occurrences in the document of the word, of its stem, of its stem's first letters. */
  readonly exact: string;
  readonly stem: string;
  readonly prefix: string;
  /** float [B, Q - 1]: of the word followed by the next one; and the mean of their IDFs. */
  readonly neighbours: string;
  readonly neighbourIdf: string;
}

/** Marks of slots without a word; unequal, so that they never match, and unequal to any code. */
const NO_QUERY_WORD = -2;
const NO_DOCUMENT_WORD = -3;
/** The end of a slice that goes to the last element, however many there are. */
const LAST = 2 ** 31 - 1;

/**
 * Compares every query word with every word of the document: bool [B, Q, W], the largest tensors
 * of the graph. Q is cut to the longest query of the batch and one slot more.
 */
export function addMatches(g: GraphBuilder, words: Words): Matches {
  const isQuery = g.op("is_query_word", "Greater", [words.queryWord, g.integer(0)]);
  const isDocument = g.op("is_document_word", "Greater", [words.documentWord, g.integer(0)]);
  const slots = g.op("query_slots", "Unsqueeze", [
    g.op("query_slots_scalar", "Add", [words.mostQueryWords, g.integer(1)]),
    g.integers(0),
  ]);
  const cutToQuery = (label: string, value: string) =>
    g.op(label, "Slice", [value, g.integers(0), slots, g.integers(1)]);
  const compare = (label: string, value: string) => {
    const known = g.op(`${label}_known`, "GreaterOrEqual", [value, g.integer(0)]);
    const side = (name: string, isWord: string, none: number) =>
      g.op(`${label}_${name}`, "Where", [
        g.op(`${label}_${name}_known`, "And", [isWord, known]),
        value,
        g.integer(none),
      ]);
    const query = cutToQuery(`${label}_cut`, side("query", isQuery, NO_QUERY_WORD));
    const document = side("document", isDocument, NO_DOCUMENT_WORD);
    return g.op(`${label}_equal`, "Equal", [
      g.op(`${label}_rows`, "Unsqueeze", [query, g.integers(2)]),
      g.op(`${label}_columns`, "Unsqueeze", [document, g.integers(1)]),
    ]);
  };
  const occurrences = (label: string, equal: string) =>
    g.op(`${label}_occurrences`, "ReduceSum", [g.toFloat(`${label}_float`, equal), g.integers(2)], {
      keepdims: 0,
    });

  const exactEqual = compare("exact", words.identity);
  const exact = occurrences("exact", exactEqual);
  const stem = occurrences("stem", compare("stem", words.stem));
  const prefix = occurrences("prefix", compare("prefix", words.prefix));

  // The comparison of each word, and of the next one with the next one: both along the diagonal.
  const allButLast = g.op("all_but_last", "Slice", [
    exactEqual,
    g.integers(0, 0),
    g.integers(-1, -1),
    g.integers(1, 2),
  ]);
  const allButFirst = g.op("all_but_first", "Slice", [
    exactEqual,
    g.integers(1, 1),
    g.integers(LAST, LAST),
    g.integers(1, 2),
  ]);
  const neighbours = occurrences("neighbour", g.op("both_equal", "And", [allButLast, allButFirst]));

  const idf = cutToQuery("idf_cut", g.op("idf_query", "Where", [isQuery, words.idf, g.float(0)]));
  const idfOfThis = g.op("idf_of_this", "Slice", [
    idf,
    g.integers(0),
    g.integers(-1),
    g.integers(1),
  ]);
  const idfOfNext = g.op("idf_of_next", "Slice", [
    idf,
    g.integers(1),
    g.integers(LAST),
    g.integers(1),
  ]);
  const idfOfBoth = g.op("idf_of_both", "Add", [idfOfThis, idfOfNext]);
  const neighbourIdf = g.op("idf_mean", "Mul", [idfOfBoth, g.float(0.5)]);
  return { idf, exact, stem, prefix, neighbours, neighbourIdf };
}
