import type { RankmillError } from "../core/errors.js";
import { explainRefusal, refusedFor } from "./redis-refusal.js";

/** Refusals that lie further apart than this belong to two failovers. */
const APART_MS = 15_000;
/** The connection has waited for a failover already, before it hands a refusal on. */
const STAYS_MS = 10_000;

/**
 * Tells when Redis has become a replica, and stays one: reads go on, and a queue that takes no writes looks
 * like one that has nothing to do.
 */
export class ReplicaWatch {
  /** Resolves with what to do; never rejects. */
  readonly stays: Promise<RankmillError>;
  #resolve: (error: RankmillError) => void = nothing;
  readonly #now: () => number;
  #sinceMs = -Infinity;
  #lastMs = -Infinity;

  /** @param now in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.stays = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Hears of an error that a queue's worker met. */
  heard(error: Error): void {
    if (!error.message.includes("READONLY")) return;
    const nowMs = this.#now();
    if (nowMs - this.#lastMs > APART_MS) this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
    if (nowMs - this.#sinceMs < STAYS_MS) return;
    const why = explainRefusal(error) ?? "it takes no writes";
    this.#resolve(refusedFor(why, error));
  }
}

function nothing(): void {}
