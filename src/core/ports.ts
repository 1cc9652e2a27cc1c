/**
 * The narrow interfaces at which the folders of `src/` meet. Each has one conformance suite in
 * `test/conformance/` that every implementation runs.
 */

/** One (query, document) pair as the model reads it. */
export interface EncodedPair {
  /** Token ids, special tokens included, no padding. Length 1 … maxLength. */
  readonly ids: Int32Array;
  /**
   * Index of the first token whose token type is 1; `ids.length` where the model knows one type
   * only. Everything before it has type 0.
   */
  readonly secondStart: number;
  /** True where tokens of the query or of the document were cut off to fit. */
  readonly truncated: boolean;
}

/** What reads a `tokenizer.json`: our own code, or one of two libraries. */
export type TokenizerImplementation = "rankmill" | "tokenizers" | "transformers";

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

/** What became of one pair. `logit` is the model's raw output, before any activation. */
export type PairOutcome =
  | { readonly status: "scored"; readonly logit: number }
  | { readonly status: "failed"; readonly code: PairErrorCode; readonly message: string };

export type PairErrorCode = "not_a_number" | "pair_too_large" | "pair_killed_lane";

export type Priority = "interactive" | "bulk";

/** Scores pairs; the batcher across jobs stands behind it. */
export interface PairScorer {
  /**
   * @returns one outcome a pair, in order
   * @throws RankmillError `cancelled` once `signal` aborts; `lane_failed` where no lane can work
   */
  score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<PairOutcome[]>;
}

/** One process that runs the model; it takes one batch at a time. */
export interface Lane {
  readonly id: number;
  /** False once its process is gone; it never comes back, another takes its place. */
  readonly alive: boolean;
  /** Resolves with the reason once its process is gone. */
  readonly died?: Promise<string>;
  /** Bytes of memory that it took since it became ready; absent where unknown. */
  readonly grownBytes?: number;
  /**
   * @param runs each inner list is one `session.run`, padded to its longest pair
   * @returns one logit a pair, same shape as `runs`
   * @throws RankmillError `lane_failed` where the process died or the runtime refused
   */
  run(runs: readonly (readonly EncodedPair[])[]): Promise<number[][]>;
}

/** Where lanes fetch their work. */
export interface LaneWork {
  /**
   * Serves `lane` until it fails, is to be replaced, or `signal` aborts; what the lane had in hand
   * when it failed is given to others.
   *
   * @returns why the lane is to be replaced, with nothing in its hands: it holds memory that others
   *   need, or more than its work explains; undefined where `signal` aborted
   * @throws whatever `lane.run` threw last, once the lane is no longer `alive`
   */
  serve(lane: Lane, signal: AbortSignal): Promise<string | undefined>;
}
