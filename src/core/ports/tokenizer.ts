/** What reads a `tokenizer.json`: our own code, or one of two libraries. */
export type TokenizerImplementation = "rankmill" | "tokenizers" | "transformers";

export const TOKENIZER_CHOICES = ["auto", "rankmill", "tokenizers", "transformers"] as const;
/** The implementation an operator asks for; `auto` is the first that can read the file. */
export type TokenizerChoice = (typeof TOKENIZER_CHOICES)[number];

/** Turns texts into token ids without special tokens. Literal special tokens in a text are text. */
export interface Tokenizer {
  /** The implementation, as the manifest of a run names it. */
  readonly implementation: TokenizerImplementation;
  /**
   * @param texts any strings, lone surrogates and NUL included
   * @param atLeastTokens the caller uses no more than the first `atLeastTokens` ids of a text (but
   *   must know whether there are more): an implementation may stop after `atLeastTokens + 1`
   * @returns one array of ids a text, in order
   */
  encode(texts: readonly string[], atLeastTokens?: number): Promise<Int32Array[]>;
  close(): Promise<void>;
}
