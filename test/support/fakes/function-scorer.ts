import { RankmillError } from "../../../src/core/errors.js";
import type { EncodedPair, PairOutcome } from "../../../src/core/pair.js";
import type { LaneTime, PairScorer } from "../../../src/core/ports/pair-scorer.js";
import type { Priority } from "../../../src/core/priority.js";
import { unlessAborted } from "../../../src/platform/unless-aborted.js";
import { firstId } from "../pairs.js";

export interface ScorerCall {
  readonly pairs: readonly EncodedPair[];
  readonly priority: Priority;
}

/** Scores each pair by a function of it, its first id unless told otherwise, and remembers what it was asked. */
export class FunctionScorer implements PairScorer {
  readonly calls: ScorerCall[] = [];
  /** Awaited before each call is scored; what it throws fails the call. */
  before: () => void | Promise<void> = () => {};
  /** Called once the outcomes of a call are there. */
  after: () => void = () => {};
  readonly #outcomeOf: (pair: EncodedPair) => PairOutcome;

  constructor(outcomeOf: (pair: EncodedPair) => PairOutcome = scoreFirstId) {
    this.#outcomeOf = outcomeOf;
  }

  /** The number of pairs in each call. */
  get asked(): number[] {
    return this.calls.map(({ pairs }) => pairs.length);
  }

  async score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
    time?: LaneTime,
  ): Promise<PairOutcome[]> {
    if (pairs.length === 0) return [];
    if (signal.aborted) throw cancelled(signal);
    this.calls.push({ pairs, priority });
    const startMs = performance.now();
    try {
      await unlessAborted(Promise.resolve(this.before()), signal);
    } catch (error) {
      throw error === signal.reason ? cancelled(signal) : error;
    }
    const outcomes = pairs.map((pair) => this.#outcomeOf(pair));
    this.after();
    if (time !== undefined) time.laneMs += performance.now() - startMs;
    return outcomes;
  }
}

function cancelled({ reason }: AbortSignal): RankmillError {
  return new RankmillError("cancelled", "the job was cancelled", { cause: reason });
}

function scoreFirstId(pair: EncodedPair): PairOutcome {
  return { status: "scored", logit: firstId(pair) };
}
