import { RankmillError } from "../../core/errors.js";
import type { BatchEncoder } from "../kinds/batch-encoder.js";
import { MOST_PREFIX_CHARS, readSettledPrefix } from "./settled-prefix.js";
import { readToVerifiedCut, type ReadPart } from "./verified-cut.js";
import type { WordShortener } from "./word-shortener.js";

/** Reads the rest of a text in memory that is bounded by the ids that are wanted. */
export type ReadRest = (rest: string, wanted: number, isWhole: boolean) => Int32Array;

export interface StretchReaderParts {
  readonly encoder: BatchEncoder;
  readonly shortener: WordShortener | undefined;
  /** False if words are cut into pieces by the sum of their scores: any cut changes the sum. */
  readonly verifies: boolean;
  /** Our own code, if it reads this tokenizer; asked for when it is needed first. */
  readonly own: () => Promise<ReadRest | undefined>;
}

/**
 * Reads on in a text that shows no cut for longer than a call may be: a word as long as a document, or
 * a script without blanks.
 */
export class StretchReader {
  readonly #parts: StretchReaderParts;

  constructor(parts: StretchReaderParts) {
    this.#parts = parts;
  }

  /**
   * @param from start of the text, or a cut
   * @param wanted ids that are enough, from there on
   * @param mostChars given to the library at once
   * @returns a part that ends at a cut, at the end of the text, or has as many ids as are wanted
   * @throws RankmillError `text_not_bounded`
   */
  async read(text: string, from: number, wanted: number, mostChars: number): Promise<ReadPart> {
    const { encoder, shortener, verifies, own } = this.#parts;
    const shortened = shortener?.shorten(text, from, mostChars);
    if (shortened !== undefined) {
      const [ids = new Int32Array()] = await encoder.encodeBatch([shortened.text]);
      return { ids, end: shortened.end };
    }
    const readRest = await own();
    if (readRest !== undefined) {
      return { ids: readRest(text.slice(from), wanted, from === 0), end: text.length };
    }
    const part = verifies ? await readToVerifiedCut(encoder, text, from) : undefined;
    if (part !== undefined) return part;
    if (Number.isFinite(wanted)) {
      const ids = await readSettledPrefix(encoder, text, from, wanted);
      if (ids !== undefined) return { ids, end: text.length };
    }
    throw new RankmillError(
      "text_not_bounded",
      `a text of ${text.length} characters cannot be read in bounded memory: from character ${from} on, no part of it has token ids that do not depend on the last of the ${Math.min(MOST_PREFIX_CHARS, text.length - from)} characters that follow. Put blanks into it, or shorten it`,
    );
  }
}
