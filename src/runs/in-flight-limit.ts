import type { InFlightBounds } from "../core/in-flight-bounds.js";

/** The work of the workers as the owner of a run saw it. */
export interface WorkerLoad {
  /** Milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  /** This run's jobs that workers hold, and the bytes of their requests. */
  readonly activeJobs: number;
  readonly activeBytes: number;
  /** Other runs that are being fed to the same workers, and what those drain of them together. */
  readonly otherRuns: number;
  readonly otherBytesPerSecond: number;
}

/**
 * Work that waits in Redis for all runs of a model together, in seconds of what the workers do. Long
 * enough for a pause of the owner (a slow disk, a collection of garbage), short enough for a second
 * run to start soon.
 */
const WAITING_SECONDS = 4;
/** The time over which the workers' speed is averaged. */
const RATE_MS = 2_000;
/** Jobs that may wait however slow the workers are: each should find one when it ends another. */
const LEAST_WAITING_JOBS = 4;
/** Jobs that may wait at the start, when nothing is known of the workers. */
const FIRST_WAITING_JOBS = 32;
/** The share by which the number of waiting jobs falls if that many were not needed. */
const SHRINK = 0.125;

/**
 * Counts what is in flight and says whether more may follow, so that workers never wait for a run's
 * owner and no more waits for them than some seconds of work.
 *
 * A job in flight is *active* (in a worker's hands) or *waiting*. The number that may wait is measured in two
 * ways, and the larger counts. In bytes: what the workers drained of all runs lately, times
 * {@link WAITING_SECONDS}, shared equally among the runs that are being fed; the queue is first come,
 * first served, so that equal shares of it are equal shares of the workers. In jobs: a number that
 * doubles while workers take all that waits (they are more, or faster, than was known), and falls
 * slowly if they leave half of it.
 */
export class InFlightLimit {
  readonly #limits: InFlightBounds;
  #jobs = 0;
  #bytes = 0;
  #activeJobs = 0;
  #activeBytes = 0;
  #waitingJobs = FIRST_WAITING_JOBS;
  #waitingBytes = 0;
  #leftBytes = 0;
  #bytesPerSecond = 0;
  /** The share of the average that rests on measurements, 0 … 1: at first there are none. */
  #measured = 0;
  #seenAtMs: number | undefined;
  /** A job was kept out since the last measurement: the limit bounds the run, not the input. */
  #refused = false;
  #waiting: (() => void) | undefined;

  constructor(limits: InFlightBounds) {
    this.#limits = limits;
  }

  get jobs(): number {
    return this.#jobs;
  }

  /** Bytes of requests that workers drained from this run lately. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** True if one more job of `bytes` may enter; if none is in flight, any may. */
  fits(bytes: number): boolean {
    const fits = this.#fits(bytes);
    if (!fits) this.#refused = true;
    return fits;
  }

  #fits(bytes: number): boolean {
    const { maxJobs, maxBytes } = this.#limits;
    if (this.#jobs === 0) return true;
    if (this.#jobs >= maxJobs || this.#bytes + bytes > maxBytes) return false;
    // Workers refill their hands: they hold now what they held at the last measurement.
    if (this.#jobs - this.#activeJobs < this.#waitingJobs) return true;
    return this.#bytes - this.#activeBytes + bytes <= this.#waitingBytes;
  }

  enter(bytes: number): void {
    this.#jobs += 1;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#jobs -= 1;
    this.#bytes -= bytes;
    this.#leftBytes += bytes;
    this.#wake();
  }

  /**
   * Adapts to what the workers do.
   *
   * @returns whether workers took all that waited while more could have been there: measure again soon
   */
  adapt(load: WorkerLoad): boolean {
    const waiting = this.#jobs - load.activeJobs;
    const starved = waiting <= 0 && this.#refused;
    if (starved) {
      this.#waitingJobs = Math.min(this.#limits.maxJobs, this.#waitingJobs * 2);
    } else if (waiting >= this.#waitingJobs / 2) {
      const fewer = Math.floor(this.#waitingJobs * (1 - SHRINK));
      this.#waitingJobs = Math.max(LEAST_WAITING_JOBS, fewer);
    }
    this.#activeJobs = load.activeJobs;
    this.#activeBytes = load.activeBytes;
    this.#measure(load.atMs);
    const bytesPerSecond = this.#bytesPerSecond + load.otherBytesPerSecond;
    this.#waitingBytes = (bytesPerSecond * WAITING_SECONDS) / (load.otherRuns + 1);
    this.#refused = false;
    this.#wake();
    return starved;
  }

  #measure(atMs: number): void {
    const elapsedMs = atMs - (this.#seenAtMs ?? atMs);
    this.#seenAtMs = atMs;
    if (elapsedMs <= 0) return;
    const newest = (this.#leftBytes * 1000) / elapsedMs;
    this.#leftBytes = 0;
    const weight = 1 - Math.exp(-elapsedMs / RATE_MS);
    this.#measured += (1 - this.#measured) * weight;
    this.#bytesPerSecond += ((newest - this.#bytesPerSecond) * weight) / this.#measured;
  }

  /** Resolves once there may be room: a job left, or more was allowed. One waiter at a time. */
  async untilChanged(signal: AbortSignal): Promise<void> {
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

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
