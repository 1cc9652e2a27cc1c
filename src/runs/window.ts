/**
 * How much of a run may be in Redis at once. Bounds Redis and the owner alike, whatever the size of
 * the run.
 */
export interface WindowLimits {
  readonly maxJobs: number;
  /** UTF-8 bytes of the requests in flight. */
  readonly maxBytes: number;
}

/** Enough to keep a few fast workers busy between two turns of the feeder. */
export const DEFAULT_WINDOW: WindowLimits = { maxJobs: 2_000, maxBytes: 67_108_864 };

/** Counts what is in flight and lets the feeder wait until there is room. */
export class Window {
  readonly #limits: WindowLimits;
  #jobs = 0;
  #bytes = 0;
  #waiting: (() => void) | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  get jobs(): number {
    return this.#jobs;
  }

  /** True where one more job of `bytes` fits; an empty window takes any. */
  fits(bytes: number): boolean {
    if (this.#jobs === 0) return true;
    return this.#jobs < this.#limits.maxJobs && this.#bytes + bytes <= this.#limits.maxBytes;
  }

  enter(bytes: number): void {
    this.#jobs += 1;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#jobs -= 1;
    this.#bytes -= bytes;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Resolves after the next job left. One waiter at a time: the feeder. */
  async untilLeft(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting = done;
    });
  }
}
