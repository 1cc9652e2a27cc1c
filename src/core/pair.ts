/** One (query, document) pair as the model reads it. */
export interface EncodedPair {
  /** Token ids, special tokens included, no padding. Length 1 … maxLength. */
  readonly ids: Int32Array;
  /**
   * Index of the first token of the second text, if the model is told of it: by token types, 0 before it and
   * 1 from it on, or by a prompt that begins with the query, whose tokens before it are the same for all
   * documents. `ids.length` otherwise.
   */
  readonly secondStart: number;
  /** True if tokens of the query or of the document were cut off to fit. */
  readonly truncated: boolean;
}

/** The outcome of one pair. `logit` is the model's raw output, before any activation. */
export type PairOutcome =
  | { readonly status: "scored"; readonly logit: number }
  | { readonly status: "failed"; readonly code: PairErrorCode; readonly message: string };

export type PairErrorCode =
  "not_a_number" | "pair_too_large" | "pair_killed_lane" | "text_not_bounded";
