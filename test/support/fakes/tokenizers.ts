/** Tokenizers for tests of what stands above one; they pass the suite of `test/conformance`. */
import type { Tokenizer } from "../../../src/core/ports/tokenizer.js";

/** Gives one id per character, its code, and no more than is asked for; remembers the calls. */
export class CharTokenizer implements Tokenizer {
  readonly kind = "characters";
  readonly calls: (readonly string[])[] = [];
  closed = false;
  /** Awaited before each call is answered; what it throws fails the call. */
  before: (texts: readonly string[]) => void | Promise<void> = () => {};

  async encode(texts: readonly string[], atLeastTokens = Infinity): Promise<Int32Array[]> {
    this.calls.push(texts);
    await this.before(texts);
    return texts.map((text) =>
      Int32Array.from(text, (char) => char.charCodeAt(0)).slice(0, atLeastTokens + 1),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.resolve();
  }
}

/** Gives one id per word: its number in `word17`, else 7. Remembers the texts. */
export class WordTokenizer implements Tokenizer {
  readonly kind = "words";
  readonly texts: string[] = [];

  encode(texts: readonly string[], atLeastTokens = Infinity): Promise<Int32Array[]> {
    this.texts.push(...texts);
    return Promise.resolve(
      texts.map((text) => Int32Array.from(this.idsOf(text).slice(0, atLeastTokens + 1))),
    );
  }

  idsOf(text: string): number[] {
    return (text.match(/\S+/g) ?? []).map((word) => Number(/\d+$/.exec(word)?.[0] ?? 7));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Gives a word of more than 8 characters more ids than its parts: as nothing does that a model would be given. */
export class SplittingTokenizer extends WordTokenizer {
  override idsOf(text: string): number[] {
    return text.length > 8 ? Array.from(text, () => 7) : [7];
  }
}
