/** Tells turns of a timer that come far too late: the process, or its machine, stood still between them. */
export class LateTurns {
  readonly #turnMs: number;
  readonly #now: () => number;
  #atMs: number;

  /** @param now the steady clock, in milliseconds */
  constructor(turnMs: number, now: () => number = () => performance.now()) {
    this.#turnMs = turnMs;
    this.#now = now;
    this.#atMs = now();
  }

  /** To be asked at each turn. */
  cameLate(): boolean {
    const nowMs = this.#now();
    const late = nowMs - this.#atMs > 2 * this.#turnMs;
    this.#atMs = nowMs;
    return late;
  }
}
