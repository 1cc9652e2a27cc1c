/**
 * A weighted semaphore: a bound on what is held at once, in whatever unit its owner names.
 * First come, first served. A request larger than the whole pool is let in alone, since it was
 * already accepted elsewhere and must not wait for ever.
 */
export class Permits {
  readonly capacity: number;
  #held = 0;
  readonly #queue: { weight: number; enter: () => void }[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * @returns a function that gives the permits back; calling it again does nothing
   * @throws the signal's reason if it aborts first
   */
  async acquire(weight: number, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    // One that is no number would make every later comparison false, and the bound be gone.
    if (!(weight >= 0)) throw new RangeError(`permits: ${weight} cannot be taken`);
    const taken = Math.min(weight, this.capacity);
    if (this.#queue.length > 0 || this.#held + taken > this.capacity) {
      await this.#wait(taken, signal);
    } else {
      this.#held += taken;
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#held -= taken;
      this.#admit();
    };
  }

  #wait(weight: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const entry = {
        weight,
        enter: () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      const leave = (): void => {
        const index = this.#queue.indexOf(entry);
        if (index < 0) return;
        this.#queue.splice(index, 1);
        this.#admit();
        reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.push(entry);
    });
  }

  #admit(): void {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || this.#held + next.weight > this.capacity) return;
      this.#queue.shift();
      this.#held += next.weight;
      next.enter();
    }
  }
}
