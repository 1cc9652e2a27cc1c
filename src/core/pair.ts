/** One (query, document) pair as the model reads it. */
export interface EncodedPair {
  /** Token ids, special tokens included, no padding. Length 1 … maxLength. */
  readonly ids: Int32Array;
  /**
   * Index of the first token whose token type is 1; `ids.length` if the model knows one type
   * only. Everything before it has type 0.
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
