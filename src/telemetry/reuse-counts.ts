import type { WorkEvent } from "../core/work-events.js";

/** Counts of work that a worker found done already, and of its misses. */
export interface ReuseCounts {
  /** Pairs that joined an equal one in hand. */
  readonly sharedPairs: number;
  /** Pairs that the score cache knew, and those it did not. */
  readonly scoreHits: number;
  readonly scoreMisses: number;
  /** Texts whose tokens were known, and those that were not. */
  readonly tokenHits: number;
  readonly tokenMisses: number;
}

/** Adds up what is not done twice. */
export class ReuseCounter {
  #sharedPairs = 0;
  readonly #found = { scores: { hits: 0, misses: 0 }, tokens: { hits: 0, misses: 0 } };

  get counts(): ReuseCounts {
    const { scores, tokens } = this.#found;
    return {
      sharedPairs: this.#sharedPairs,
      scoreHits: scores.hits,
      scoreMisses: scores.misses,
      tokenHits: tokens.hits,
      tokenMisses: tokens.misses,
    };
  }

  count(event: WorkEvent): void {
    if (event.type === "spared") this.#sharedPairs += event.pairs;
    if (event.type !== "looked-up") return;
    this.#found[event.in].hits += event.hits;
    this.#found[event.in].misses += event.misses;
  }
}
