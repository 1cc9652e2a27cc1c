import type { PairErrorCode } from "./pair.js";

/** An event of jobs and pairs between their queue and the result store. Times in milliseconds. */
export type WorkEvent =
  /** A job's pairs were made of its texts. */
  | { readonly type: "tokenized"; readonly tookMs: number }
  /** A message left for a lane; its oldest pair had waited for that long. */
  | { readonly type: "departed"; readonly waitedMs: number }
  /** A lane has answered a message: one entry a `session.run`. */
  | {
      readonly type: "inferred";
      readonly batches: readonly BatchFigures[];
      readonly tookMs: number;
    }
  /** The outcome of pairs is known; those that equal one another settle together. */
  | {
      readonly type: "settled";
      readonly outcome: "scored" | PairErrorCode;
      readonly pairs: number;
    }
  /** Pairs that no lane was needed for: they equal others that were in hand. */
  | { readonly type: "spared"; readonly by: "shared"; readonly pairs: number }
  /** A cache was asked for the scores of pairs, or for the tokens of texts. */
  | {
      readonly type: "looked-up";
      readonly in: "scores" | "tokens";
      readonly hits: number;
      readonly misses: number;
    }
  /** An attempt came to an end that a newer one had shut out: nothing was written. */
  | { readonly type: "commit-refused" };

export interface BatchFigures {
  /** Tokens of the pairs themselves. */
  readonly tokens: number;
  /** Tokens that the model read: rows × longest row. */
  readonly paddedTokens: number;
}

/** Hears of it while it happens; returns at once and never throws. */
export type ObserveWork = (event: WorkEvent) => void;

export function ignoreWork(): void {}
