/** One library's tokenizer, loaded. Runs inside the tokenizer's thread only. */
export interface BatchEncoder {
  /**
   * @param texts well-formed UTF-16, at least one
   * @returns ids without special tokens, one array a text, in order
   */
  encodeBatch(texts: string[]): Promise<Int32Array[]>;
}

/** The library is not installed, or has no binary for this machine: another one may be. */
export class LibraryMissing extends Error {}
