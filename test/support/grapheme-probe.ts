import { Tokenizer } from "tokenizers";
import { GRAPHEME_CLASS } from "../../src/tokenizers/kinds/unigram/grapheme-classes.js";
import { charsmap } from "./charsmap.js";

const MARK = "\u0301";
const JOINER = "\u200d";
const VIRAMA = "\u094d";

/**
 * Asks the Rust library what a code point does to the borders of grapheme clusters. Its Precompiled
 * normaliser replaces a cluster of less than six bytes as a whole if the cluster begins with
 * something to be replaced, so that what belongs to the cluster vanishes; a longer one it replaces
 * character by character.
 */
export class GraphemeProbe {
  readonly #a = normalizer({ a: "b" });
  readonly #mark = normalizer({ "\u0344": "m" });
  readonly #pictograph = normalizer({ "©": "c" });
  readonly #consonant = normalizer({ क: "k" });

  /** @returns a value of `GRAPHEME_CLASS` */
  classOf(codePoint: number): number {
    const character = String.fromCodePoint(codePoint);
    if (character === JOINER) return GRAPHEME_CLASS.joiner;
    if (this.#a(`a${character}`) === "b") return this.#extender(character);
    if (this.#mark(`${character}\u0344${MARK}`).endsWith("m")) return GRAPHEME_CLASS.control;
    if (this.#a(`${character}a${MARK}`).endsWith(`b${MARK}`)) return GRAPHEME_CLASS.prepend;
    if (this.#joinsPictograph(character)) return GRAPHEME_CLASS.pictograph;
    return this.#joinsConsonant(`${character}${VIRAMA}`)
      ? GRAPHEME_CLASS.consonant
      : GRAPHEME_CLASS.other;
  }

  #extender(character: string): number {
    if (this.#joinsConsonant(`क${character}`)) return GRAPHEME_CLASS.linker;
    if (!this.#joinsPictograph(`👩${character}`)) return GRAPHEME_CLASS.spacingMark;
    return this.#joinsConsonant(`क${character}${VIRAMA}`)
      ? GRAPHEME_CLASS.extend
      : GRAPHEME_CLASS.nonJoiner;
  }

  #joinsPictograph(before: string): boolean {
    return this.#pictograph(`${before}${JOINER}©${MARK}`).endsWith(`c${MARK}`);
  }

  #joinsConsonant(before: string): boolean {
    return this.#consonant(`${before}क${MARK}`).endsWith(`k${MARK}`);
  }
}

function normalizer(replacements: Readonly<Record<string, string>>): (text: string) => string {
  const tokenizer = Tokenizer.fromString(
    JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: { type: "Precompiled", precompiled_charsmap: charsmap(replacements) },
      model: { type: "Unigram", unk_id: 0, vocab: [["x", 0]] },
    }),
  );
  const found = tokenizer.getNormalizer();
  if (found === null) throw new Error("the library has lost its normaliser");
  return (text) => found.normalizeString(text);
}
