/** Turns texts into token ids without special tokens. Literal special tokens in a text are text. */
export interface Tokenizer {
  /** Name of the implementation, as the manifest of a run gives it. */
  readonly kind: string;
  /**
   * @param texts any strings, lone surrogates and NUL included
   * @param atLeastTokens the caller uses no more than the first `atLeastTokens` ids of a text (but
   *   must know whether there are more): an implementation may stop after `atLeastTokens + 1`
   * @returns one array of ids per text, in order
   */
  encode(texts: readonly string[], atLeastTokens?: number): Promise<Int32Array[]>;
  close(): Promise<void>;
}
