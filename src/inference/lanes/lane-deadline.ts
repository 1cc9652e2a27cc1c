import { readStarvedMs, starvedBetween } from "../host/starved-time.js";

export interface LaneDeadlineOptions {
  readonly pid: number;
  /** Time in which the lane could work, in milliseconds. */
  readonly limitMs: number;
  readonly onPassed: () => void;
  /** Default: the process's steady clock, in milliseconds. */
  readonly now?: () => number;
  /** Default: what the kernel says of the lane's threads. */
  readonly readStarved?: (pid: number) => ReadonlyMap<string, number>;
}

/** Looks at the clock this often within the limit, and at least once per second. */
const TURNS_PER_LIMIT = 8;
const MAX_TURN_MS = 1_000;
/** Nothing waits for ever: a lane that is starved for this many times its limit is given up all the same. */
const MOST_LIMITS = 20;

/**
 * The deadline of a lane's answer. Only time in which the lane could work counts against it. A machine that
 * stood still (suspended, frozen, starved of its processors) has not made the lane hang: neither time in which
 * this process was not run counts, nor time in which the lane waited for a processor.
 *
 * *running* → *passed*, unless it is stopped before.
 */
export class LaneDeadline {
  readonly #options: LaneDeadlineOptions;
  readonly #turnMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #now: () => number;
  readonly #readStarved: (pid: number) => ReadonlyMap<string, number>;
  #atMs: number;
  #starved: ReadonlyMap<string, number>;
  /** Time that this process has seen pass, and the part of it in which the lane could work. */
  #watchedMs = 0;
  #workedMs = 0;

  constructor(options: LaneDeadlineOptions) {
    const { limitMs, now = () => performance.now(), readStarved = readStarvedMs } = options;
    this.#options = options;
    this.#now = now;
    this.#readStarved = readStarved;
    this.#atMs = now();
    // A short message ends before the first turn, and costs no reading then.
    this.#starved = NOT_READ;
    this.#turnMs = Math.min(MAX_TURN_MS, limitMs / TURNS_PER_LIMIT);
    this.#timer = setInterval(() => this.#turn(), this.#turnMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    const { pid, limitMs, onPassed } = this.#options;
    const nowMs = this.#now();
    // A turn that comes late was a time in which this process stood still, and most likely its lane too.
    const passedMs = Math.min(nowMs - this.#atMs, 2 * this.#turnMs);
    this.#atMs = nowMs;
    const starved = this.#readStarved(pid);
    const starvedMs = this.#starved === NOT_READ ? 0 : starvedBetween(this.#starved, starved);
    this.#starved = starved;
    this.#watchedMs += passedMs;
    this.#workedMs += Math.max(0, passedMs - starvedMs);
    if (this.#workedMs < limitMs && this.#watchedMs < MOST_LIMITS * limitMs) return;
    this.stop();
    // What has arrived while this process was busy is read first.
    setImmediate(onPassed);
  }
}

const NOT_READ: ReadonlyMap<string, number> = new Map();
