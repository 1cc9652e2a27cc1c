/** Shorter waits tell more of the round trip than of the workers. */
const LEAST_WAIT_MS = 1_000;
/** The weight of the newest observation. */
const NEWEST_SHARE = 0.2;
/** Workers come and go: what was seen is forgotten after this time without another wait. */
const FORGET_MS = 30_000;

/**
 * The speed at which a queue really moves, from the waits of requests that went through it. Workers
 * tell their own speed too, but not what else their hosts do meanwhile.
 */
export class ObservedSpeed {
  #pairsPerSecond: number | undefined;
  #seenAtMs = -Infinity;

  /** @param pairs those that stood before a request, and its own; a wait in vain counts as well */
  note(pairs: number, waitedMs: number): void {
    if (waitedMs < LEAST_WAIT_MS) return;
    const seen = (1_000 * pairs) / waitedMs;
    const before = this.pairsPerSecond ?? seen;
    this.#pairsPerSecond = before + NEWEST_SHARE * (seen - before);
    this.#seenAtMs = performance.now();
  }

  /** Undefined if no request has waited lately. */
  get pairsPerSecond(): number | undefined {
    return performance.now() - this.#seenAtMs < FORGET_MS ? this.#pairsPerSecond : undefined;
  }
}
