import type { EncodedPair, PairOutcome } from "../core/pair.js";
import type { LaneTime, PairScorer } from "../core/ports/pair-scorer.js";
import type { Priority } from "../core/priority.js";
import type { ScoreCache } from "../core/ports/score-cache.js";
import type { ObserveWork } from "../core/work-events.js";
import { cancelled } from "./cancelled.js";

/**
 * Asks a cache first, and has only those pairs scored that it does not know. Failures are never kept:
 * a pair that failed is tried again whenever it comes.
 */
export class CachedScorer implements PairScorer {
  readonly #scorer: PairScorer;
  readonly #cache: ScoreCache;
  readonly #observe: ObserveWork;

  constructor(scorer: PairScorer, cache: ScoreCache, observe: ObserveWork) {
    this.#scorer = scorer;
    this.#cache = cache;
    this.#observe = observe;
  }

  async score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
    time?: LaneTime,
  ): Promise<PairOutcome[]> {
    if (pairs.length === 0) return [];
    const known = await this.#cache.read(pairs);
    if (signal.aborted) throw cancelled(signal);
    if (known === undefined) return await this.#scorer.score(pairs, priority, signal, time);
    const missing = pairs.filter((_, index) => known[index] === undefined);
    const hits = pairs.length - missing.length;
    this.#observe({ type: "looked-up", in: "scores", hits, misses: missing.length });
    if (hits > 0) this.#observe({ type: "settled", outcome: "scored", pairs: hits });
    if (missing.length === 0) return known.map((logit) => scored(logit));
    const outcomes = await this.#scorer.score(missing, priority, signal, time);
    this.#keep(missing, outcomes);
    const rest = outcomes.values();
    return known.map((logit) => (logit === undefined ? next(rest) : scored(logit)));
  }

  #keep(pairs: readonly EncodedPair[], outcomes: readonly PairOutcome[]): void {
    const kept: EncodedPair[] = [];
    const logits: number[] = [];
    for (const [index, pair] of pairs.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status !== "scored") continue;
      kept.push(pair);
      logits.push(outcome.logit);
    }
    if (kept.length > 0) this.#cache.write(kept, logits);
  }
}

function scored(logit: number | undefined): PairOutcome {
  if (logit === undefined) throw new RangeError("a pair has no logit");
  return { status: "scored", logit };
}

function next(outcomes: IterableIterator<PairOutcome>): PairOutcome {
  const { value, done } = outcomes.next();
  if (done === true) throw new RangeError("a pair has no outcome");
  return value;
}
