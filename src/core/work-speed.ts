import type { WorkEvent } from "./work-events.js";

/** Windows of which the best counts: a minute of work, at an announcement every 3 s. */
const WINDOWS = 20;
/** A window in which the lanes had less to do tells little of what they can do. */
const LEAST_USE = 0.5;

/**
 * The speed of a worker while it has work, in pairs per second: of the last windows of time in which its
 * lanes were busy, the best. A worker that is idle keeps the speed that it had.
 */
export class WorkSpeed {
  #pairs = 0;
  #laneMs = 0;
  #sinceMs: number | undefined;
  readonly #speeds: number[] = [];

  readonly observe = (event: WorkEvent): void => {
    if (event.type === "settled") this.#pairs += event.pairs;
    if (event.type === "inferred") this.#laneMs += event.tookMs;
  };

  /**
   * Ends a window and begins the next.
   *
   * @param nowMs by a clock that only grows
   * @returns undefined as long as nothing is known
   */
  sample(nowMs: number, lanes: number): number | undefined {
    const windowMs = nowMs - (this.#sinceMs ?? nowMs);
    // Lanes may hold two messages each: together they are never busier than all the time.
    const use = Math.min(1, this.#laneMs / Math.max(1, windowMs * lanes));
    if (windowMs > 0 && use >= LEAST_USE) {
      this.#speeds.push((1_000 * this.#pairs) / (windowMs * use));
      if (this.#speeds.length > WINDOWS) this.#speeds.shift();
    }
    this.#sinceMs = nowMs;
    this.#pairs = 0;
    this.#laneMs = 0;
    return this.#speeds.length === 0 ? undefined : Math.max(...this.#speeds);
  }
}
