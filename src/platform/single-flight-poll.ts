import { waitAtMost } from "./wait-at-most.js";

/**
 * Something that is asked of Redis again and again, and must neither hang its asker nor pile up while
 * Redis is gone: one question is out at a time, and who waits for its answer waits a while only.
 */
export class SingleFlightPoll<T> {
  readonly #ask: () => Promise<T>;
  readonly #waitMs: number;
  #asking: Promise<T | undefined> | undefined;

  /** @param ask may hang or reject */
  constructor(ask: () => Promise<T>, waitMs: number) {
    this.#ask = ask;
    this.#waitMs = waitMs;
  }

  /** @returns undefined if there is no answer in time */
  async answer(): Promise<T | undefined> {
    this.#asking ??= this.#ask()
      .catch(() => undefined)
      .finally(() => {
        this.#asking = undefined;
      });
    const waited = await waitAtMost(this.#asking, this.#waitMs);
    return waited.status === "settled" ? waited.value : undefined;
  }
}
