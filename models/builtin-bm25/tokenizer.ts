import { MAX_WORD_CHARACTERS, MOST_PIECES } from "./constants.js";
import { CONTINUATION, SPECIAL_TOKENS, type Vocabulary } from "./vocabulary.js";

/**
 * tokenizer.json: no model's own vocabulary, yet read by the same libraries in the same way.
 *
 * 1. Normaliser: compatibility forms become plain ones (NFKD), lower case, accents and invisible
 *    joiners go, what is left is composed again (kana and Hangul need it). Vowel signs of Indic and
 *    Thai writing stay: they are no accents.
 * 2. Words: a character of Han, kana, Hangul, Yi; a syllable of Thai, Lao, Burmese, Khmer, which
 *    put no space between words either; a run of digits; a run of letters; a symbol. Punctuation
 *    is dropped. A run ends after 24 characters, for WordPiece gives up on very long words and
 *    takes quadratic time on long ones.
 * 3. Each word becomes its UTF-8 bytes and is cut greedily into pieces. The pieces of a word depend
 *    on nothing else, so two words are the same exactly if their pieces are.
 */

/** Combining accents, Hebrew points, Arabic vowel marks and tatweel, joiners, variation selectors. */
const DROPPED_MARKS =
  "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f" +
  "\u0670\u06d6-\u06dc\u06df-\u06e4\u00ad\u200c\u200d\u2060\ufeff\ufe00-\ufe0f]";

/** Inside a character class: each is a word. */
const SINGLE =
  "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff" +
  "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\ua960-\ua97f" +
  "\u1100-\u11ff\uac00-\ud7ff\uf900-\ufaff\u{1aff0}-\u{1b16f}\u{20000}-\u{3fffd}";
/** Inside a character class: scripts whose syllables, a letter and its marks, are words. */
const SYLLABIC = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff";
const MARKS_OF_A_SYLLABLE = 6;

const WORD = [
  `[${SINGLE}]`,
  `(?![\\p{Nd}\\p{P}])[${SYLLABIC}]\\p{M}{0,${MARKS_OF_A_SYLLABLE}}`,
  `\\p{Nd}{1,${MAX_WORD_CHARACTERS}}`,
  `(?:(?![${SINGLE}${SYLLABIC}])[\\p{L}\\p{M}]){1,${MAX_WORD_CHARACTERS}}`,
  "[^\\s\\p{P}\\p{Z}\\p{Cc}\\p{Cf}$+<=>^`|~]",
].join("|");

function specialToken(content: string, id: number) {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}

function templateToken(content: string) {
  const id = SPECIAL_TOKENS.findIndex((token) => token === content);
  return { id: content, ids: [id], tokens: [content] };
}

function special(id: string, typeId: number) {
  return { SpecialToken: { id, type_id: typeId } };
}

function sequence(id: "A" | "B", typeId: number) {
  return { Sequence: { id, type_id: typeId } };
}

/** @returns the content of tokenizer.json */
export function tokenizerJson(vocabulary: Vocabulary): object {
  const first = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map(specialToken),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFKD" },
        { type: "Lowercase" },
        { type: "Replace", pattern: { Regex: DROPPED_MARKS }, content: "" },
        // JavaScript lower-cases a capital sigma by its place in the word, Rust does not.
        { type: "Replace", pattern: { String: "ς" }, content: "σ" },
        { type: "NFC" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: WORD }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: {
      type: "TemplateProcessing",
      single: first,
      pair: [...first, sequence("B", 1), special("[SEP]", 1)],
      special_tokens: {
        "[CLS]": templateToken("[CLS]"),
        "[SEP]": templateToken("[SEP]"),
      },
    },
    decoder: { type: "WordPiece", prefix: CONTINUATION, cleanup: false },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: CONTINUATION,
      max_input_chars_per_word: MOST_PIECES,
      vocab: Object.fromEntries(vocabulary.tokens.map((token, id) => [token, id])),
    },
  };
}
