/** A package's tokenizer, loaded. */
export interface BatchEncoder {
  /**
   * @param texts well-formed UTF-16, at least one
   * @returns ids without special tokens, one array per text, in order
   */
  encodeBatch(texts: string[]): Promise<Int32Array[]>;
}

/** The package is not installed, or has no binary for this machine: another one may be. */
export class PackageMissing extends Error {}
