import * as K from "./constants.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { Vocabulary } from "./vocabulary.js";

/**
 * The words of a pair, each tensor [B, W]: the first words are the query's, then the document's,
 * the rest is empty. W is two more than the longest row has.
 */
export interface Words {
  /** int64, 1 if the slot holds a word of the query, of the document. */
  readonly queryWord: string;
  readonly documentWord: string;
  /** int64: the most words that a query of the batch has, a scalar. */
  readonly mostQueryWords: string;
  /** int64: equal for two words exactly if they are the same word. */
  readonly identity: string;
  /** int64: the letters without a plural s; NO_STEM if the word is not Latin. */
  readonly stem: string;
  /** int64: the first letters of the stem; NO_STEM if it has fewer. */
  readonly prefix: string;
  /** float */
  readonly idf: string;
}

const NO_STEM = -1n;

/** Letters are digits of base 27, a = 1, the first letter lowest: 13 of them fit an int64. */
const LETTER_BASE = 27n;
const CODE_LETTERS = 13;
const LETTER_S = 19n;
const SHORTEST_PLURAL = 4;
/** The "letters" of a piece that is not Latin: more than any word has, so the sum tells. */
const NOT_LATIN = 100n;

function letterCode(letters: string): bigint {
  return Array.from(letters.slice(0, CODE_LETTERS)).reduce(
    (code, letter, index) =>
      code + BigInt(letter.charCodeAt(0) - 96) * LETTER_BASE ** BigInt(index),
    0n,
  );
}

/**
 * Odd numbers below 2^38, one for each place in a word. A word's identity is the sum of id × number
 * over its pieces: at most 96 × 2^17 × 2^38 < 2^62, so exact. The generator is Knuth's MMIX one.
 */
function placeFactors(vocabularySize: number): bigint[] {
  if (vocabularySize > 2 ** 17) throw new RangeError("a word's identity could overflow");
  let state = 0x5eedn;
  return Array.from({ length: K.MOST_PIECES }, () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return (state >> 26n) | 1n;
  });
}

interface Tokens {
  readonly ids: string;
  readonly mask: string;
  readonly types: string;
}

export function addWords(
  g: GraphBuilder,
  vocabulary: Vocabulary,
  specialTokens: number,
  { ids, mask, types }: Tokens,
): Words {
  // Tokens [B, L]: which are pieces of words, and which begin one.
  const isPiece = g.op("is_piece", "And", [
    g.op("unmasked", "Greater", [mask, g.integer(0)]),
    g.op("not_special", "GreaterOrEqual", [ids, g.integer(specialTokens)]),
  ]);
  const begins = g.op("begins", "And", [
    isPiece,
    g.op("is_first", "GreaterOrEqual", [ids, g.integer(vocabulary.firstStart)]),
  ]);
  const piece = g.toInteger("piece", isPiece);
  const first = g.toInteger("first", begins);
  const zero = g.integer(0);

  // The word of a token; tokens before the first word go to word 0 with nothing to add.
  const count = g.op("word_count", "CumSum", [first, g.integer(1)]);
  const word = g.op("word", "Max", [g.op("word_index", "Sub", [count, g.integer(1)]), zero]);
  const mostWords = g.op("most_words", "ReduceMax", [count], { keepdims: 0 });
  const width = g.op("width", "Add", [mostWords, g.integer(2)]);
  const batch = g.op("batch_size", "Slice", [
    g.op("shape", "Shape", [ids]),
    g.integers(0),
    g.integers(1),
  ]);
  const empty = g.op(
    "empty_words",
    "ConstantOfShape",
    [
      g.op(
        "words_shape",
        "Concat",
        [batch, g.op("width_1d", "Unsqueeze", [width, g.integers(0)])],
        {
          axis: 0,
        },
      ),
    ],
    { value: { type: "int64", dims: [1], data: [0n] } },
  );
  const sumByWord = (label: string, value: string) =>
    g.op(label, "ScatterElements", [empty, word, value], { axis: 1, reduction: "add" });

  const typed = (label: string, type: number) => {
    const ofType = g.op(`${label}_type`, "Equal", [types, g.integer(type)]);
    return g.toInteger(`${label}_int`, g.op(label, "And", [begins, ofType]));
  };
  const queryBegins = typed("query_begins", 0);
  const queryWord = sumByWord("query_word", queryBegins);
  const documentWord = sumByWord("document_word", typed("document_begins", 1));
  const queryWords = g.op("query_words", "ReduceSum", [queryBegins, g.integers(1)], {
    keepdims: 0,
  });
  const mostQueryWords = g.op("most_query_words", "ReduceMax", [queryWords], { keepdims: 0 });

  // Places: of a piece in its word, and of its first letter.
  const position = g.op("position_in_row", "Sub", [
    g.op("positions", "CumSum", [
      g.op("ones", "Add", [g.op("none", "Mul", [piece, zero]), g.integer(1)]),
      g.integer(1),
    ]),
    g.integer(1),
  ]);
  const wordPosition = sumByWord("word_position", g.op("first_position", "Mul", [first, position]));
  const start = g.op("start", "GatherElements", [wordPosition, word], { axis: 1 });
  const place = g.op("place", "Clip", [
    g.op("place_raw", "Sub", [position, start]),
    zero,
    g.integer(K.MOST_PIECES - 1),
  ]);
  const factor = g.op("factor", "Gather", [
    g.integerTable("place_factors", placeFactors(vocabulary.tokens.length)),
    place,
  ]);
  const identityTerm = g.op("identity_term", "Mul", [g.op("id_term", "Mul", [ids, factor]), piece]);
  const identity = sumByWord("identity", identityTerm);

  const letters = addLetters(g, vocabulary, { ids, piece, start, sumByWord });
  const pieces = sumByWord("pieces", piece);
  const firstId = sumByWord("first_id", g.op("first_id_term", "Mul", [ids, first]));
  const idf = addIdf(g, vocabulary, { firstId, pieces, letters: letters.count });
  return { queryWord, documentWord, mostQueryWords, identity, idf, ...addStem(g, letters) };
}

interface Letters {
  /** int64 [B, W]: the letters of the word, NOT_LATIN and more if it is not Latin. */
  readonly count: string;
  /** int64 [B, W]: the first 13 letters. */
  readonly code: string;
}

function addLetters(
  g: GraphBuilder,
  vocabulary: Vocabulary,
  tokens: {
    readonly ids: string;
    readonly piece: string;
    readonly start: string;
    readonly sumByWord: (label: string, value: string) => string;
  },
): Letters {
  // Both tables begin and end with an entry for the ids outside.
  const counts = vocabulary.letters.map((letters) =>
    letters === "" ? NOT_LATIN : BigInt(letters.length),
  );
  const row = g.op("letters_row", "Clip", [
    g.op("letters_row_raw", "Sub", [tokens.ids, g.integer(vocabulary.innerLatinStart - 1)]),
    g.integer(0),
    g.integer(counts.length + 1),
  ]);
  const lookup = (label: string, table: readonly bigint[]) =>
    g.op(label, "Mul", [
      g.op(`${label}_row`, "Gather", [g.integerTable(`${label}_table`, table), row]),
      tokens.piece,
    ]);
  const count = lookup("letters_of_piece", [NOT_LATIN, ...counts, NOT_LATIN]);
  const code = lookup("code_of_piece", [0n, ...vocabulary.letters.map(letterCode), 0n]);

  const before = g.op("letters_before", "CumSum", [count, g.integer(1)], { exclusive: 1 });
  const beforeWord = g.op("letters_before_word", "GatherElements", [before, tokens.start], {
    axis: 1,
  });
  const offset = g.op("letter_offset", "Clip", [
    g.op("letter_offset_raw", "Sub", [before, beforeWord]),
    g.integer(0),
    g.integer(CODE_LETTERS),
  ]);
  const powers = g.integerTable("letter_powers", letterPowers());
  const room = g.op("letters_left", "Sub", [g.integer(CODE_LETTERS), offset]);
  const fitting = g.op("code_fitting", "Mod", [code, g.op("room", "Gather", [powers, room])]);
  const shifted = g.op("code_shifted", "Mul", [fitting, g.op("shift", "Gather", [powers, offset])]);
  return {
    count: tokens.sumByWord("letters", count),
    code: tokens.sumByWord("letter_code", shifted),
  };
}

function letterPowers(): bigint[] {
  return Array.from({ length: CODE_LETTERS + 1 }, (_, power) => LETTER_BASE ** BigInt(power));
}

/** Takes off a final s that does not follow another, from words of 4 to 13 letters. */
function addStem(g: GraphBuilder, { count, code }: Letters): { stem: string; prefix: string } {
  const powers = g.integerTable("letter_powers", letterPowers());
  const none = g.integer(NO_STEM);
  const letterAt = (label: string, fromEnd: number) => {
    const place = g.op(`${label}_place`, "Clip", [
      g.op(`${label}_place_raw`, "Sub", [count, g.integer(fromEnd)]),
      g.integer(0),
      g.integer(CODE_LETTERS),
    ]);
    const power = g.op(`${label}_power`, "Gather", [powers, place]);
    const rest = g.op(`${label}_rest`, "Div", [code, power]);
    return { letter: g.op(label, "Mod", [rest, g.integer(LETTER_BASE)]), power };
  };
  const last = letterAt("last_letter", 1);
  const beforeLast = letterAt("before_last_letter", 2);
  const inRange = g.op("plural_length", "And", [
    g.op("long_enough", "GreaterOrEqual", [count, g.integer(SHORTEST_PLURAL)]),
    g.op("short_enough", "LessOrEqual", [count, g.integer(CODE_LETTERS)]),
  ]);
  const endsInS = g.op("ends_in_s", "And", [
    g.op("last_is_s", "Equal", [last.letter, g.integer(LETTER_S)]),
    g.op("not_ss", "Not", [g.op("before_is_s", "Equal", [beforeLast.letter, g.integer(LETTER_S)])]),
  ]);
  const plural = g.toInteger("plural", g.op("is_plural", "And", [inRange, endsInS]));
  const ending = g.op("ending", "Mul", [last.power, g.integer(LETTER_S)]);
  const withoutS = g.op("without_s", "Sub", [code, g.op("taken_off", "Mul", [ending, plural])]);
  const isLatin = g.op("is_latin", "Less", [count, g.integer(NOT_LATIN)]);
  const stem = g.op("stem", "Where", [isLatin, withoutS, none]);

  const stemLetters = g.op("stem_letters", "Sub", [count, plural]);
  const hasPrefix = g.op("has_prefix", "And", [
    isLatin,
    g.op("prefix_length", "GreaterOrEqual", [stemLetters, g.integer(K.PREFIX_LETTERS)]),
  ]);
  const prefixCode = g.op("prefix_code", "Mod", [
    withoutS,
    g.integer(LETTER_BASE ** BigInt(K.PREFIX_LETTERS)),
  ]);
  return { stem, prefix: g.op("prefix", "Where", [hasPrefix, prefixCode, none]) };
}

function addIdf(
  g: GraphBuilder,
  vocabulary: Vocabulary,
  words: { readonly firstId: string; readonly pieces: string; readonly letters: string },
): string {
  const zero = g.integer(0);
  const clipped = (label: string, value: string, highest: number) =>
    g.op(label, "Clip", [value, zero, g.integer(highest)]);
  const byPieces = g.op("idf_by_pieces", "Gather", [
    g.floatTable("idf_by_pieces_table", K.IDF_BY_PIECES),
    clipped("pieces_clipped", words.pieces, K.MOST_PIECES),
  ]);
  const byLetters = g.op("idf_by_letters", "Gather", [
    g.floatTable("idf_by_letters_table", K.IDF_BY_LETTERS),
    clipped("letters_clipped", words.letters, K.MAX_WORD_CHARACTERS),
  ]);
  const isLatin = g.op("idf_is_latin", "Less", [words.letters, g.integer(NOT_LATIN)]);
  const unlisted = g.op("idf_unlisted", "Where", [isLatin, byLetters, byPieces]);

  const row = g.op("listed_row", "Sub", [words.firstId, g.integer(vocabulary.listedStart)]);
  const listedIdf = g.op("idf_listed", "Gather", [
    g.floatTable("idf_listed_table", vocabulary.listedIdf),
    clipped("listed_row_clipped", row, vocabulary.listedIdf.length - 1),
  ]);
  const isListed = g.op("is_listed", "And", [
    g.op("one_piece", "Equal", [words.pieces, g.integer(1)]),
    g.op("in_list", "And", [
      g.op("after_list_start", "GreaterOrEqual", [row, zero]),
      g.op("before_list_end", "Less", [row, g.integer(vocabulary.listedIdf.length)]),
    ]),
  ]);
  return g.op("idf", "Where", [isListed, listedIdf, unlisted]);
}
