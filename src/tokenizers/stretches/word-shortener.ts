import { CHARACTER_CLASS, classAt } from "../character-classes.js";
import { flatten, isCut, type CutRules } from "../cuts.js";
import type { TokenizerJson } from "../tokenizer-json.js";

const { ideograph: IDEOGRAPH, letter: LETTER, digit: DIGIT } = CHARACTER_CLASS;
/** Longest word that WordPiece cuts into pieces, if the file names no limit. */
const DEFAULT_MOST_WORD_CHARS = 100;
/** Marks that BERT's normaliser drops, or that are characters of the word that they stand in. */
const MARK =
  /^(?:[\u0300-\u036f\u0483-\u0487]|[\u0591-\u05bd\u0610-\u061a\u064b-\u065f]|[\u093c\u0941-\u0948\u094d]|[\u0e31]|[\u0e34-\u0e3a]|[\u0e47-\u0e4e]|[\u20d0-\u20dc]|[\ufe00-\ufe0f]|[\ufe20-\ufe2f])$/;
/** Controls, format characters and private ones, which BERT's normaliser drops if it cleans the text. */
const CLEANED = /^(?![\t\n\r])[\p{Cc}\p{Co}\xad\u200b-\u200f\u2060\ufeff]$/u;
/** Letters, digits and symbols that belong to a word, beside those that have a class. */
const WORD_CHARACTER = /^[\p{L}\p{N}\p{So}\p{Sm}\p{Sc}\p{Sk}]$/u;
/** Unified ideographs beyond those with a class, which BERT's normaliser may set apart. */
const RARE_IDEOGRAPH = /^[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2ffff}]$/u;

export interface ShortenedText {
  readonly text: string;
  /** End in the source: its end, or a cut. */
  readonly end: number;
}

/**
 * Shortens words that are too long for BERT's WordPiece, which makes of each of them one unknown token
 * whatever it holds: of a run of characters that belong to one word for sure, so many stay that the
 * word remains too long. So a word of megabytes is read like one of a hundred letters.
 */
export class WordShortener {
  readonly #rules: CutRules;
  /** Characters that stay of a long word. */
  readonly #keptChars: number;
  /** True if marks are dropped from words: they do not make one longer. */
  readonly #dropsMarks: boolean;
  readonly #cleans: boolean;

  private constructor(
    rules: CutRules,
    keptChars: number,
    { dropsMarks, cleans }: { readonly dropsMarks: boolean; readonly cleans: boolean },
  ) {
    this.#rules = rules;
    this.#keptChars = keptChars;
    this.#dropsMarks = dropsMarks;
    this.#cleans = cleans;
  }

  /** @returns undefined for tokenizers to whose words this does not apply */
  static for(json: TokenizerJson, rules: CutRules): WordShortener | undefined {
    if (!rules.bert || json.model.type !== "WordPiece") return undefined;
    const most = json.model["max_input_chars_per_word"] ?? DEFAULT_MOST_WORD_CHARS;
    if (typeof most !== "number") return undefined;
    const normalizers = flatten(json.normalizer, "normalizers");
    const dropsMarks = normalizers.some(
      ({ type, strip_accents: strips, lowercase }) =>
        type === "StripAccents" || (type === "BertNormalizer" && (strips ?? lowercase) === true),
    );
    // Cleaning comes first: what it drops interrupts nothing.
    const [first] = normalizers;
    const cleans = first?.type === "BertNormalizer" && first["clean_text"] === true;
    return new WordShortener(rules, most + 1, { dropsMarks, cleans });
  }

  /**
   * @param from start of the text, or a cut
   * @param mostChars of the shortened text
   * @returns undefined if there is no cut within as many
   */
  shorten(text: string, from: number, mostChars: number): ShortenedText | undefined {
    const kept: string[] = [];
    let length = 0;
    let [letters, marks] = [0, 0];
    let cut: { readonly pieces: number; readonly end: number } | undefined;
    for (let at = from; at < text.length;) {
      if (at > from && isCut(text, this.#rules, at)) cut = { pieces: kept.length, end: at };
      if (length >= mostChars) {
        return cut && { text: kept.slice(0, cut.pieces).join(""), end: cut.end };
      }
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += character.length;
      if (this.#cleans && CLEANED.test(character)) continue;
      const isMark = MARK.test(character);
      if (isMark && this.#dropsMarks) marks += 1;
      else if (isMark || this.#isWordCharacter(character)) [letters, marks] = [letters + 1, 0];
      else [letters, marks] = [0, 0];
      if (letters <= this.#keptChars && marks <= this.#keptChars) {
        kept.push(character);
        length += character.length;
      }
    }
    return { text: kept.join(""), end: text.length };
  }

  #isWordCharacter(character: string): boolean {
    const kind = classAt(character, 0);
    if (kind === LETTER || kind === DIGIT) return true;
    if (kind === IDEOGRAPH) return !this.#rules.ideographs;
    if (kind !== CHARACTER_CLASS.none || character < "\u0080") return false;
    return WORD_CHARACTER.test(character) && !RARE_IDEOGRAPH.test(character);
  }
}
