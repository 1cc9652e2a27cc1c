import type { WorkEvent } from "./work-events.js";

/** What a worker found done already, and what it looked for in vain. */
export interface ReuseCounts {
  /** Pairs that joined an equal one in hand. */
  readonly sharedPairs: number;
  /** Pairs that the score cache knew, and those it did not. */
  readonly scoreHits: number;
  readonly scoreMisses: number;
}

/** Adds up what is not done twice. */
export class ReuseCounter {
  #sharedPairs = 0;
  readonly #scores = { hits: 0, misses: 0 };

  get counts(): ReuseCounts {
    const { hits, misses } = this.#scores;
    return { sharedPairs: this.#sharedPairs, scoreHits: hits, scoreMisses: misses };
  }

  count(event: WorkEvent): void {
    if (event.type === "spared") this.#sharedPairs += event.pairs;
    if (event.type !== "looked-up") return;
    this.#scores.hits += event.hits;
    this.#scores.misses += event.misses;
  }
}
