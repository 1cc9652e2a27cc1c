/**
 * Every number of the model. None is counted in a collection. The weights of word forms and of
 * neighbours are round numbers that were looked at on SciFact and NovelEval; the rest was not.
 *
 * k1 and b are the defaults of the literature (Robertson and Zaragoza 2009, "The Probabilistic
 * Relevance Framework: BM25 and Beyond", section 3.5, where k1 lies between 1.2 and 2 and b
 * between 0.5 and 0.8; Lucene's BM25Similarity uses these two). The IDF is Lucene's form,
 * ln(1 + (N - df + 0.5) / (df + 0.5)), taken at an assumed share df/N of documents with the word,
 * since a graph sees one pair at a time and no collection.
 */

export const K1 = 1.2;
export const B = 0.75;
/** Words of a usual document: an abstract or a passage of a few paragraphs. */
export const AVERAGE_DOCUMENT_WORDS = 200;
/**
 * Beyond twice the usual length nothing more is taken off: otherwise one exact match in a
 * very long document could weigh less than a look-alike, see PARTIAL_CAP.
 */
export const LONGEST_RELATIVE_LENGTH = 2;

/** ln(1 + (1 - share) / share), the IDF of a word in that share of the documents. */
function idfAtShare(share: number): number {
  return Math.log(1 + (1 - share) / share);
}

/** Words that nearly every text has: "the", "的". */
export const FUNCTION_WORD_IDF = idfAtShare(0.95);
/** Words of every second to tenth text: "people", "important". */
export const FREQUENT_WORD_IDF = idfAtShare(0.12);
/** Words of every tenth to fiftieth: "market", "temperature". */
export const COMMON_WORD_IDF = idfAtShare(0.03);

/**
 * Any other Latin word: rarer the longer it is (Zipf's law of abbreviation), from one text in 33
 * for a single letter to one in 3,000. Index: letters.
 */
export const MAX_WORD_CHARACTERS = 24;
export const IDF_BY_LETTERS: readonly number[] = Array.from(
  { length: MAX_WORD_CHARACTERS + 1 },
  (_, letters) => Math.min(3 + 0.5 * letters, 8),
);

/** A run of digits, by its length; four digits and more go by pieces, below. */
export const IDF_BY_DIGITS: readonly number[] = [0, 2, 3, 4];

/**
 * Words in other scripts: a Han character, a syllable of Hangul or Thai and a symbol are one
 * piece, a Cyrillic or Arabic word about one piece for two letters. Index: pieces.
 */
export const MOST_PIECES = MAX_WORD_CHARACTERS * 4;
export const IDF_BY_PIECES: readonly number[] = Array.from(
  { length: MOST_PIECES + 1 },
  (_, pieces) => Math.min(3.5 + 0.75 * Math.max(pieces - 1, 0), 8),
);

/** A document word that is the query word but for a plural s counts as 0.9 of an occurrence. */
export const PLURAL_WEIGHT = 0.9;
/** One with the same first six letters (infect-ion, infect-ious) as 0.6. */
export const PREFIX_LETTERS = 6;
export const PREFIX_WEIGHT = 0.6;
/**
 * The contribution of a word that the document has in other forms only, in units of its IDF. An exact
 * occurrence gives at least (k1 + 1) / (1 + k1 (1 - b + 2 b)) = 0.71, whatever the length, so that
 * no number of look-alikes reaches a document with the words themselves. The distance between the
 * two is more than the function words of a question can make up for.
 */
export const PARTIAL_CAP = 0.5;
/** Two neighbours of the query that are neighbours in the document, in units of their mean IDF. */
export const NEIGHBOUR_WEIGHT = 0.5;

/**
 * logit = LOWEST + (HIGHEST - LOWEST) × s / (s + HALF × S), where s is the BM25 sum and S the sum
 * of the query's IDFs: the order of s within a query is kept, and queries of any length share one
 * scale. With all words once in a document of usual length s = S and the sigmoid is 0.7.
 * The upper end is low enough for a float32 sigmoid to tell two steps apart.
 */
export const LOWEST_LOGIT = -8;
export const HIGHEST_LOGIT = 4;
export const HALF_SCORE = 0.35;
/** Logits are multiples of 1/65536, so that unequal ones stay unequal after a float32 sigmoid. */
export const LOGIT_STEPS = 65536;
/** Sums are made in integers of this unit: they do not depend on the order, nor on padding. */
export const SUM_STEPS = 2 ** 24;

export const DEFAULT_MAX_TOKENS = 512;
/** Length at which a pair's comparison, one cell for each two words, still takes some tens of MB. */
export const MAX_POSITION_EMBEDDINGS = 2048;
