import type { ActivationBudget } from "../core/activation-budget.js";
import type { BatchLimits } from "../core/batch-plan.js";
import { describeError, RankmillError } from "../core/errors.js";
import { Permits } from "../core/permits.js";
import type {
  EncodedPair,
  Lane,
  LaneWork,
  PairOutcome,
  PairScorer,
  Priority,
} from "../core/ports.js";
import {
  lengthsOf,
  outcomeOf,
  plan,
  takeLive,
  type Item,
  type Message,
  type Work,
} from "./batch-items.js";
import { RunMemory, type BatcherMemory } from "./run-memory.js";

export interface BatcherOptions {
  readonly limits: BatchLimits;
  /** Pairs that travel to a lane in one message, as one or more runs. */
  readonly maxMessagePairs: number;
  /** Tokens of one message. */
  readonly maxMessageTokens: number;
  /** Milliseconds of one message; bounds how long an interactive pair waits for a lane. */
  readonly maxMessageMs: number;
  /** What a run is expected to take, where it was measured; without it messages have no such bound. */
  readonly runMs?: ((rows: number, longest: number) => number) | undefined;
  /** Waiting bulk pairs that are planned together, oldest first. */
  readonly windowPairs: number;
  /** Tokens of all pairs held for bulk jobs; more jobs wait outside. */
  readonly maxBulkTokens: number;
  /** The same for interactive jobs, apart, so that bulk work can never fill it. */
  readonly maxInteractiveTokens: number;
  /** Times a pair may be alone in a lane that dies before it is given up. */
  readonly maxPairAttempts: number;
}

export const DEFAULT_BATCHER_OPTIONS: BatcherOptions = {
  limits: { maxBatchTokens: 2_048, maxBatchSize: 8, maxPaddingTokens: 16 },
  maxMessagePairs: 8,
  maxMessageTokens: 4_096,
  maxMessageMs: 250,
  windowPairs: 1_024,
  maxBulkTokens: 2_097_152,
  maxInteractiveTokens: 524_288,
  maxPairAttempts: 3,
};

/**
 * Where less work waits than would keep all lanes busy, a message takes this share of a lane's part
 * of it: the lanes end together, and a single job is scored by all of them.
 */
const SHARE_OF_REMAINDER = 0.5;

const SHED = "it holds memory that other work needs";

/**
 * The micro-batcher across jobs: pairs of all jobs in flight wait here and leave for the lanes in
 * batches of near-equal length.
 *
 * A pair is *waiting* (in `#interactive` or `#bulk`), then *planned* (in `#planned`, as part of a
 * run), then *in a lane*, then *settled*. Bulk pairs are planned in windows, oldest jobs first, so
 * that a job never waits behind more than one window; interactive pairs are planned the moment a
 * lane asks and go first. Where a lane fails, its message is *suspect*: it is halved until one pair
 * stands alone, and a pair that fails alone too often becomes that document's error.
 *
 * Under a memory budget no run is planned that a lane's share does not hold, except for single pairs
 * that need more: they travel alone and wait for the budget's claim. Where the lane must make room
 * first, the message is *returned*: it goes to the next lane that asks. A pair that needs more than
 * the whole budget settles as `pair_too_large`.
 */
export class Batcher implements PairScorer, LaneWork {
  readonly #options: BatcherOptions;
  readonly #budget: ActivationBudget | undefined;
  readonly #memory: RunMemory;
  readonly #limits: BatchLimits;
  readonly #permits: Readonly<Record<Priority, Permits>>;
  #interactive: Item[] = [];
  #bulk: Item[] = [];
  /** Runs of the current bulk window, in order of departure; `#plannedAt` is the next. */
  #planned: Item[][] = [];
  #plannedAt = 0;
  /** Messages that failed and were halved; they go first, each by itself. */
  readonly #suspects: Item[][] = [];
  /** Messages that a lane handed back before it ran them. */
  readonly #returned: Message[] = [];
  readonly #idle: (() => void)[] = [];
  /** Lanes that are being served. */
  #lanes = 0;
  #failure: RankmillError | undefined;

  constructor(options: BatcherOptions = DEFAULT_BATCHER_OPTIONS, memory?: BatcherMemory) {
    this.#options = options;
    this.#budget = memory?.budget;
    const runs = new RunMemory(memory);
    this.#memory = runs;
    this.#limits = {
      ...options.limits,
      fits: (rows, longest) => runs.fitsShare(rows, longest),
    };
    this.#permits = {
      bulk: new Permits(options.maxBulkTokens),
      interactive: new Permits(options.maxInteractiveTokens),
    };
  }

  /** Pairs that wait for a lane, planned ones included. */
  get waitingPairs(): number {
    const planned = this.#planned.slice(this.#plannedAt).reduce((sum, run) => sum + run.length, 0);
    const returned = this.#returned.flat(2).length + this.#suspects.flat().length;
    return this.#interactive.length + this.#bulk.length + planned + returned;
  }

  async score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<PairOutcome[]> {
    if (pairs.length === 0) return [];
    const tokens = pairs.reduce((sum, pair) => sum + pair.ids.length, 0);
    const release = await this.#permits[priority].acquire(tokens, signal);
    try {
      return await this.#enter(pairs, priority, signal);
    } finally {
      release();
    }
  }

  #enter(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<PairOutcome[]> {
    signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise<PairOutcome[]>((resolve, reject) => {
      const onAbort = (): void => {
        work.reject(
          new RankmillError("cancelled", "the job was cancelled", { cause: signal.reason }),
        );
      };
      const settle = (): boolean => {
        if (work.settled) return false;
        work.settled = true;
        signal.removeEventListener("abort", onAbort);
        return true;
      };
      const work: Work = {
        outcomes: Array.from<PairOutcome | undefined>({ length: pairs.length }),
        remaining: pairs.length,
        settled: false,
        resolve: (outcomes) => {
          if (settle()) resolve(outcomes);
        },
        reject: (error) => {
          if (settle()) reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const waiting = priority === "interactive" ? this.#interactive : this.#bulk;
      pairs.forEach((pair, index) => waiting.push({ pair, work, index, attempts: 0 }));
      this.#wake();
    });
  }

  async serve(lane: Lane, signal: AbortSignal): Promise<string | undefined> {
    this.#lanes += 1;
    try {
      return await this.#serve(lane, signal);
    } finally {
      this.#lanes -= 1;
    }
  }

  async #serve(lane: Lane, signal: AbortSignal): Promise<string | undefined> {
    const budget = this.#budget;
    if (budget !== undefined) {
      void lane.died?.then(() => {
        budget.forget(lane);
        this.#wake();
      });
    }
    while (!signal.aborted) {
      if (budget?.mustShed(lane) === true && !this.#nextIsOutsized()) return SHED;
      const message = this.#nextMessage();
      if (message === undefined) {
        await this.#untilWork(signal);
        continue;
      }
      const grant =
        budget === undefined
          ? "granted"
          : await budget.reserve(lane, this.#memory.bytesOf(message.map(lengthsOf)), signal, () =>
              this.#wake(),
            );
      if (grant !== "granted") {
        this.#returned.push(message);
        this.#wake();
        if (grant === "recycle") return SHED;
        continue;
      }
      try {
        const logits = await lane.run(message.map((run) => run.map((item) => item.pair)));
        message.forEach((run, r) => {
          run.forEach((item, i) => this.#settle(item, outcomeOf(logits[r]?.[i])));
        });
      } catch (error) {
        await this.#memory.learnFrom(error);
        this.#suspect(message.flat(), error);
        if (!lane.alive) throw error;
      }
      const grown = lane.grownBytes ?? 0;
      if (budget?.finished(lane, grown) === true) {
        return `it grew by ${grown} bytes, its work explains ${budget.heldBytes(lane)}`;
      }
    }
    return undefined;
  }

  /** No lane will ever work again: every job, waiting or to come, fails with `error`. */
  fail(error: RankmillError): void {
    this.#failure = error;
    const items = [
      ...this.#interactive,
      ...this.#bulk,
      ...this.#planned.flat(),
      ...this.#suspects.flat(),
      ...this.#returned.flat(2),
    ];
    this.#interactive = [];
    this.#bulk = [];
    this.#planned = [];
    this.#plannedAt = 0;
    this.#suspects.length = 0;
    this.#returned.length = 0;
    for (const item of items) item.work.reject(error);
  }

  #nextMessage(): Message | undefined {
    for (;;) {
      const taken = this.#takeMessage();
      if (taken === undefined) return undefined;
      const live = taken
        .map((run) => run.filter((item) => !item.work.settled && !this.#refuse(item)))
        .filter((run) => run.length > 0);
      if (live.length > 0) return this.#splitOutsized(live);
    }
  }

  /** The next message as it was planned, ended jobs included. */
  #takeMessage(): Message | undefined {
    const { windowPairs } = this.#options;
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const suspects = this.#suspects.shift();
    if (suspects !== undefined) return plan(suspects, this.#limits);
    if (this.#interactive.length > 0) {
      const runs = plan(takeLive(this.#interactive, windowPairs), this.#limits);
      const message = this.#fill(runs, 0, this.#interactive.length);
      this.#interactive.unshift(...runs.slice(message.length).flat());
      if (message.length > 0) return message;
    }
    if (this.#plannedAt >= this.#planned.length) {
      if (this.#bulk.length === 0) return undefined;
      this.#planned = plan(takeLive(this.#bulk, windowPairs), this.#limits);
      this.#plannedAt = 0;
    }
    const message = this.#fill(this.#planned, this.#plannedAt, this.#bulk.length);
    this.#plannedAt += message.length;
    return message;
  }

  /** True where the work that goes first is for a lane that is over its share already. */
  #nextIsOutsized(): boolean {
    const next = this.#returned[0] ?? this.#planned.slice(this.#plannedAt, this.#plannedAt + 1);
    return next.some((run) => this.#memory.isOutsized(lengthsOf(run)));
  }

  /**
   * A run that no longer fits its lane's share (the budget was lowered since it was planned, or it is
   * a single long pair) goes alone, pair by pair; what is left of the message waits.
   */
  #splitOutsized(message: Message): Message {
    const at = message.findIndex((run) => this.#memory.isOutsized(lengthsOf(run)));
    const run = message[at];
    if (run === undefined || (message.length === 1 && run.length === 1)) return message;
    if (at > 0) {
      this.#returned.unshift(message.slice(at));
      return message.slice(0, at);
    }
    const rest = message.slice(1);
    if (rest.length > 0) this.#returned.unshift(rest);
    this.#returned.unshift(...run.slice(1).map((item) => [[item]]));
    return [run.slice(0, 1)];
  }

  /** Settles a pair that can never run. */
  #refuse(item: Item): boolean {
    const refusal = this.#memory.refusal(item.pair.ids.length);
    if (refusal !== undefined) this.#settle(item, refusal);
    return refusal !== undefined;
  }

  /**
   * The runs from `start` on that fit one message; at least one where there is one.
   *
   * @param beyond pairs that wait behind these runs
   */
  #fill(runs: readonly Item[][], start: number, beyond: number): Item[][] {
    const { maxMessageTokens, maxMessageMs, runMs } = this.#options;
    const maxPairs = this.#messagePairs(runs, start, beyond);
    const message: Item[][] = [];
    let pairs = 0;
    let tokens = 0;
    let ms = 0;
    for (let at = start; at < runs.length; at += 1) {
      const run = runs[at] ?? [];
      pairs += run.length;
      const longest = run[0]?.pair.ids.length ?? 0;
      tokens += run.length * longest;
      ms += runMs?.(run.length, longest) ?? 0;
      const over = pairs > maxPairs || tokens > maxMessageTokens || ms > maxMessageMs;
      if (message.length > 0 && over) break;
      message.push(run);
    }
    return message;
  }

  /** Pairs that a message may hold with this much work ahead. */
  #messagePairs(runs: readonly Item[][], start: number, beyond: number): number {
    const { maxMessagePairs } = this.#options;
    // One lane has nobody to share with.
    if (this.#lanes < 2) return maxMessagePairs;
    const plenty = (maxMessagePairs * this.#lanes) / SHARE_OF_REMAINDER;
    let ahead = beyond;
    for (let at = start; at < runs.length && ahead < plenty; at += 1)
      ahead += runs[at]?.length ?? 0;
    const share = Math.ceil((ahead / this.#lanes) * SHARE_OF_REMAINDER);
    return Math.min(maxMessagePairs, share);
  }

  #settle(item: Item, outcome: PairOutcome): void {
    const { work } = item;
    if (work.settled) return;
    work.outcomes[item.index] = outcome;
    work.remaining -= 1;
    if (work.remaining > 0) return;
    work.resolve(work.outcomes.filter((settled) => settled !== undefined));
  }

  #suspect(items: readonly Item[], error: unknown): void {
    const [first] = items;
    if (first === undefined) return;
    if (items.length > 1) {
      const half = Math.ceil(items.length / 2);
      this.#suspects.push(items.slice(0, half), items.slice(half));
    } else {
      first.attempts += 1;
      if (first.attempts < this.#options.maxPairAttempts) {
        this.#suspects.push([first]);
      } else {
        const message = `the pair of ${first.pair.ids.length} tokens failed alone ${first.attempts} times: ${describeError(error).message}`;
        this.#settle(first, { status: "failed", code: "pair_killed_lane", message });
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  #untilWork(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
      this.#idle.push(wake);
    });
  }
}
