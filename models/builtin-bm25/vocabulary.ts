import {
  COMMON_STEMS,
  COMMON_WORDS,
  CJK_COMMON_CHARACTERS,
  CJK_FUNCTION_CHARACTERS,
  FIRST_PIECES,
  FREQUENT_STEMS,
  FREQUENT_WORDS,
  FUNCTION_WORDS,
  INNER_PIECES,
} from "./words.js";
import {
  COMMON_WORD_IDF,
  FREQUENT_WORD_IDF,
  FUNCTION_WORD_IDF,
  IDF_BY_DIGITS,
} from "./constants.js";
import { inflections } from "./inflections.js";
import { toByteCharacters } from "./byte-characters.js";

/** In BERT's order; the graph reads every id below `SPECIAL_TOKENS.length` as no word. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;
/** WordPiece's mark of a piece that goes on with a word. */
export const CONTINUATION = "##";

/**
 * The pieces in the order of their ids, so that the graph tells kinds apart by comparing with a
 * few borders instead of looking tables up:
 *
 * special | inner, other scripts | inner, Latin | first, Latin | first, listed | first, other
 *                                                 ^ firstStart
 *
 * A piece is inner if it carries `##`. Listed pieces have an IDF of their own if they are the
 * whole word. Every byte is there as a first and as an inner piece, so that no word is unknown.
 */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly innerLatinStart: number;
  readonly firstStart: number;
  readonly listedStart: number;
  readonly otherStart: number;
  /** The letters of the ids from `innerLatinStart` on; "" for what is not Latin. */
  readonly letters: readonly string[];
  /** The IDFs of the ids `listedStart` to `otherStart`. */
  readonly listedIdf: readonly number[];
}

const LATIN = Array.from("abcdefghijklmnopqrstuvwxyz");
const DIGITS = Array.from("0123456789");

/** Alphabets whose pairs of letters are pieces, after normalisation (no accents, lower case). */
const PAIRED_ALPHABETS: readonly (readonly [number, number])[] = [
  [0x03b1, 0x03c9], // Greek
  [0x0430, 0x044f], // Cyrillic
  [0x05d0, 0x05ea], // Hebrew
  [0x0627, 0x063a], // Arabic, the two rows of its letters
  [0x0641, 0x064a],
];

/** Letters and marks that are a piece each: Latin beyond a–z to Arabic; Indic to Ethiopic; Khmer. */
const LETTER_RANGES: readonly (readonly [number, number])[] = [
  [0x00aa, 0x07ff],
  [0x0900, 0x139f],
  [0x1780, 0x17ff],
];

/** Characters that are a word each: kana to bopomofo, Han, Hangul. */
const SINGLE_CHARACTER_RANGES: readonly (readonly [number, number])[] = [
  [0x3005, 0x3007],
  [0x3041, 0x3096],
  [0x309d, 0x309f],
  [0x30a1, 0x30fa],
  [0x30fc, 0x30ff],
  [0x3105, 0x312f],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
];

/** Thai syllables, a piece each: a consonant, a vowel above or below it, a tone or other mark. */
const THAI = {
  consonants: [0x0e01, 0x0e2e],
  vowels: [0x0e31, 0x0e34, 0x0e35, 0x0e36, 0x0e37, 0x0e38, 0x0e39, 0x0e4d],
  tones: [0x0e47, 0x0e4c],
} as const;

/**
 * The planes of rarer Han (extensions B to J): the first three of a character's four bytes are one
 * piece, the fourth another.
 */
const RARE_HAN: readonly [number, number] = [0x20000, 0x3347f];
const LAST_BYTE_VALUES = 64;

function characters([from, to]: readonly [number, number]): string[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => String.fromCodePoint(from + offset));
}

/** Every string of one to three of these characters, shorter ones first. */
function combinations(alphabet: readonly string[]): string[] {
  const pairs = alphabet.flatMap((first) => alphabet.map((second) => first + second));
  return [...alphabet, ...pairs, ...pairs.flatMap((pair) => alphabet.map((third) => pair + third))];
}

function otherScripts(): string[] {
  const arabic = PAIRED_ALPHABETS.slice(-2).flatMap(characters);
  const alphabets = [...PAIRED_ALPHABETS.slice(0, -2).map(characters), arabic];
  return [
    ...alphabets.flatMap((letters) => letters.flatMap((a) => letters.map((b) => a + b))),
    ...LETTER_RANGES.flatMap(characters),
  ].map(toByteCharacters);
}

function thaiSyllables(): string[] {
  const vowels = THAI.vowels.map((point) => String.fromCodePoint(point));
  const tones = characters(THAI.tones);
  const marks = [
    ...vowels,
    ...tones,
    // Both orders: a sign that stands for itself comes before a tone, one split by NFKD after it.
    ...vowels.flatMap((vowel) => tones.flatMap((tone) => [vowel + tone, tone + vowel])),
  ];
  return characters(THAI.consonants)
    .flatMap((consonant) => marks.map((mark) => consonant + mark))
    .map(toByteCharacters);
}

function everyByte(): string[] {
  return Array.from({ length: 256 }, (_, byte) => toByteCharacters(Uint8Array.of(byte)));
}

function rareHanBeginnings(): string[] {
  const [from, to] = RARE_HAN;
  const count = Math.ceil((to - from + 1) / LAST_BYTE_VALUES);
  return Array.from({ length: count }, (_, index) =>
    toByteCharacters(String.fromCodePoint(from + index * LAST_BYTE_VALUES)).slice(0, 3),
  );
}

/** The listed words with their IDFs; a word that is in several lists has the first one's. */
function listedWords(): Map<string, number> {
  const digits = combinations(DIGITS).map((run) => [run, IDF_BY_DIGITS[run.length] ?? 0] as const);
  const entries: (readonly [string, number])[] = [
    ...FUNCTION_WORDS.map((word) => [word, FUNCTION_WORD_IDF] as const),
    ...CJK_FUNCTION_CHARACTERS.map((word) => [word, FUNCTION_WORD_IDF] as const),
    ...FREQUENT_WORDS.map((word) => [word, FREQUENT_WORD_IDF] as const),
    ...FREQUENT_STEMS.flatMap(inflections).map((word) => [word, FREQUENT_WORD_IDF] as const),
    ...CJK_COMMON_CHARACTERS.map((word) => [word, FREQUENT_WORD_IDF] as const),
    ...COMMON_WORDS.map((word) => [word, COMMON_WORD_IDF] as const),
    ...COMMON_STEMS.flatMap(inflections).map((word) => [word, COMMON_WORD_IDF] as const),
    ...digits,
  ];
  const listed = new Map<string, number>();
  for (const [word, idf] of entries) {
    const piece = toByteCharacters(word);
    if (!listed.has(piece)) listed.set(piece, idf);
  }
  return listed;
}

/** @returns the same vocabulary on every machine */
export function buildVocabulary(): Vocabulary {
  const listed = listedWords();
  const other = otherScripts();
  const innerLatin = [...new Set([...combinations(LATIN), ...INNER_PIECES])];
  const innerOther = [...new Set([...everyByte(), ...other, ...combinations(DIGITS)])].filter(
    (piece) => !LATIN.includes(piece),
  );
  const firstLatin = [...new Set([...combinations(LATIN), ...FIRST_PIECES])].filter(
    (piece) => !listed.has(piece),
  );
  const singles = SINGLE_CHARACTER_RANGES.flatMap(characters).map(toByteCharacters);
  const firstOther = [
    ...new Set([...everyByte(), ...other, ...singles, ...thaiSyllables(), ...rareHanBeginnings()]),
  ].filter((piece) => !LATIN.includes(piece) && !listed.has(piece));

  const innerLatinStart = SPECIAL_TOKENS.length + innerOther.length;
  const firstStart = innerLatinStart + innerLatin.length;
  const listedStart = firstStart + firstLatin.length;
  const otherStart = listedStart + listed.size;
  const tokens = [
    ...SPECIAL_TOKENS,
    ...[...innerOther, ...innerLatin].map((piece) => CONTINUATION + piece),
    ...firstLatin,
    ...listed.keys(),
    ...firstOther,
  ];
  if (new Set(tokens).size !== tokens.length) throw new Error("a piece has two ids");
  return {
    tokens,
    innerLatinStart,
    firstStart,
    listedStart,
    otherStart,
    letters: [...innerLatin, ...firstLatin, ...listed.keys()].map((piece) =>
      /^[a-z]+$/u.test(piece) ? piece : "",
    ),
    listedIdf: [...listed.values()],
  };
}
