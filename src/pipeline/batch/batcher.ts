import type { ActivationBudget } from "../../core/cost/activation-budget.js";
import type { BatchLimits } from "./batch-plan.js";
import { describeError, type RankmillError } from "../../core/errors.js";
import { Permits } from "../../platform/permits.js";
import type { EncodedPair, PairOutcome } from "../../core/pair.js";
import type { Lane } from "../../core/ports/lane.js";
import type { BatchSource } from "../../core/ports/batch-source.js";
import type { LaneTime, PairScorer } from "../../core/ports/pair-scorer.js";
import type { Priority } from "../../core/priority.js";
import { ignoreWork, type ObserveWork } from "../../core/work-events.js";
import { cancelled } from "../cancelled.js";
import {
  countLaneTime,
  enteredAtMs,
  isLive,
  lengthsOf,
  openWork,
  outcomeOf,
  plan,
  settle,
  type PairWaiter,
  type Item,
  type Message,
} from "./batch-items.js";
import { EqualPairs } from "./equal-pairs.js";
import { NO_PREFIX, prefixOf } from "./pair-prefix.js";
import { PrefixAffinity } from "./prefix-affinity.js";
import { fillMessage, type MessageBounds } from "./fill-message.js";
import type { BatchMemory } from "./batch-memory.js";

export interface BatcherOptions extends MessageBounds {
  readonly limits: BatchLimits;
  /** Waiting bulk pairs that are planned together, oldest first. */
  readonly planAheadPairs: number;
  /** Tokens of all pairs held for bulk jobs; more jobs wait outside. */
  readonly maxBulkTokens: number;
  /** Tokens of all pairs held for interactive jobs, apart, so that bulk work can never fill it. */
  readonly maxInteractiveTokens: number;
  /** Times a pair may be alone in a lane that dies before it is given up. */
  readonly maxPairAttempts: number;
  /** Equal pairs that wait together are scored once. False only to measure what that saves. */
  readonly sharesEqualPairs: boolean;
  /** True if the model computes what pairs of a query share once: they then travel together. */
  readonly sharesPrefixes: boolean;
  readonly observe?: ObserveWork | undefined;
}

export const DEFAULT_BATCHER_OPTIONS: BatcherOptions = {
  limits: { maxBatchTokens: 2_048, maxBatchSize: 8, maxPaddingTokens: 16 },
  maxMessagePairs: 8,
  maxMessageTokens: 4_096,
  maxMessageMs: 250,
  planAheadPairs: 1_024,
  maxBulkTokens: 2_097_152,
  maxInteractiveTokens: 524_288,
  maxPairAttempts: 3,
  sharesEqualPairs: true,
  sharesPrefixes: false,
};

const MEMORY_WANTED = "it holds memory that other work needs";

/**
 * The micro-batcher across jobs: pairs of all jobs in flight wait here and leave for the lanes in
 * batches of near-equal length.
 *
 * A pair is *waiting* (in `#interactive` or `#bulk`), then *planned* (in `#planned`, as part of a
 * batch), then *in a lane*, then *settled*. Some bulk pairs at a time are planned, oldest jobs first,
 * so that a job never waits behind more than these; interactive pairs are planned the moment a
 * lane asks and go first. If a lane fails, its message is *suspect*: it is halved until one pair
 * stands alone, and a pair that fails alone too often becomes that document's error.
 *
 * A pair that equals one not yet settled joins it: whatever becomes of the one becomes of all that
 * wait for it, and it is dropped only if all of their jobs have ended. An interactive pair that joins
 * a waiting bulk pair takes that one along to the interactive ones.
 *
 * If the model shares prefixes, a batch has pairs of one query, and queries follow each other. Of bulk work
 * a lane gets the query that it has in hand. Interactive pairs go to all lanes, the oldest query first.
 *
 * Under a memory budget no batch is planned that a lane's share does not hold, except for single pairs
 * that need more: they travel alone and wait for the budget's one outsized request. If the lane must make room
 * first, the message is *returned*: it goes to the next lane that asks. A pair that needs more than
 * the whole budget settles as `pair_too_large`.
 */
export class Batcher implements PairScorer, BatchSource {
  readonly #options: BatcherOptions;
  readonly #budget: ActivationBudget | undefined;
  /** Undefined: every batch fits. */
  readonly #memory: BatchMemory | undefined;
  readonly #limits: BatchLimits;
  readonly #observe: ObserveWork;
  readonly #permits: Readonly<Record<Priority, Permits>>;
  #interactive: Item[] = [];
  #bulk: Item[] = [];
  /** Planned bulk batches that have not left, in order of departure. */
  #planned: Item[][] = [];
  /** Messages that failed and were halved; they go first, each by itself. */
  readonly #suspects: Item[][] = [];
  /** Messages that a lane handed back before it ran them. */
  readonly #returned: Message[] = [];
  readonly #equal = new EqualPairs();
  readonly #affinity = new PrefixAffinity();
  readonly #idle: (() => void)[] = [];
  /** Lanes that are being served. */
  #lanes = 0;
  #failure: RankmillError | undefined;

  constructor(options: BatcherOptions = DEFAULT_BATCHER_OPTIONS, memory?: BatchMemory) {
    this.#options = options;
    this.#observe = options.observe ?? ignoreWork;
    this.#budget = memory?.budget;
    this.#memory = memory;
    this.#limits = {
      ...options.limits,
      fits: (rows, longest) => memory?.fitsShare(rows, longest) ?? true,
    };
    this.#permits = {
      bulk: new Permits(options.maxBulkTokens),
      interactive: new Permits(options.maxInteractiveTokens),
    };
  }

  /** Pairs that wait for a lane, planned ones included. */
  get waitingPairs(): number {
    const planned = this.#planned.reduce((sum, batch) => sum + batch.length, 0);
    const returned = this.#returned.flat(2).length + this.#suspects.flat().length;
    return this.#interactive.length + this.#bulk.length + planned + returned;
  }

  async score(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
    time?: LaneTime,
  ): Promise<PairOutcome[]> {
    if (pairs.length === 0) return [];
    const tokens = pairs.reduce((sum, pair) => sum + pair.ids.length, 0);
    const release = await this.#permits[priority]
      .acquire(tokens, signal)
      .catch((error: unknown) => {
        throw signal.aborted ? cancelled(signal) : error;
      });
    try {
      return await this.#enter(pairs, priority, signal, time);
    } finally {
      release();
    }
  }

  #enter(
    pairs: readonly EncodedPair[],
    priority: Priority,
    signal: AbortSignal,
    time: LaneTime | undefined,
  ): Promise<PairOutcome[]> {
    if (signal.aborted) throw cancelled(signal);
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise((resolve, reject) => {
      const work = openWork(pairs.length, signal, time, resolve, reject);
      pairs.forEach((pair, index) => this.#add(pair, priority, { work, index }));
      this.#wake();
    });
  }

  #add(pair: EncodedPair, priority: Priority, waiter: PairWaiter): void {
    const equal = this.#options.sharesEqualPairs ? this.#equal.find(pair) : undefined;
    if (equal === undefined) {
      const prefix = this.#options.sharesPrefixes ? prefixOf(pair) : NO_PREFIX;
      this.#wait({ pair, prefix, priority, waiters: [waiter], attempts: 0, departed: false });
      return;
    }
    this.#observe({ type: "spared", by: "shared", pairs: 1 });
    equal.waiters.push(waiter);
    if (priority === "bulk" || equal.priority === "interactive" || equal.departed) return;
    const { waiters } = equal;
    // Without waiters it is dropped wherever it waits.
    equal.waiters = [];
    this.#wait({ ...equal, priority, waiters });
  }

  #wait(item: Item): void {
    (item.priority === "interactive" ? this.#interactive : this.#bulk).push(item);
    if (this.#options.sharesEqualPairs) this.#equal.add(item);
  }

  async serve(lane: Lane, signal: AbortSignal): Promise<string | undefined> {
    this.#lanes += 1;
    try {
      return await this.#serve(lane, signal);
    } finally {
      this.#affinity.forget(lane);
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
      if (budget?.mustShed(lane) === true && !this.#nextIsOutsized()) return MEMORY_WANTED;
      const message = this.#nextMessage(lane);
      if (message === undefined) {
        await this.#untilWork(signal);
        continue;
      }
      const grant =
        budget === undefined
          ? "granted"
          : await budget.reserve(lane, this.#bytesOf(message), signal, () => this.#wake());
      if (grant !== "granted") {
        this.#returned.push(message);
        this.#wake();
        if (grant === "recycle") return MEMORY_WANTED;
        continue;
      }
      this.#observe({ type: "departed", waitedMs: performance.now() - enteredAtMs(message) });
      const letGo = countLaneTime(message);
      try {
        const logits = await lane.score(message.map((batch) => batch.map((item) => item.pair)));
        letGo();
        message.forEach((batch, r) => {
          batch.forEach((item, i) => this.#settle(item, outcomeOf(logits[r]?.[i])));
        });
      } catch (error) {
        letGo();
        await this.#memory?.learnFrom(error, message.map(lengthsOf));
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
    this.#suspects.length = 0;
    this.#returned.length = 0;
    this.#equal.clear();
    for (const { work } of items.flatMap(({ waiters }) => waiters)) work.reject(error);
  }

  #nextMessage(lane: Lane): Message | undefined {
    for (;;) {
      const taken = this.#takeMessage(lane);
      if (taken === undefined) return undefined;
      const live = taken
        .map((batch) => batch.filter((item) => this.#keep(item) && !this.#refuse(item)))
        .filter((batch) => batch.length > 0);
      if (live.length === 0) continue;
      for (const item of live.flat()) item.departed = true;
      this.#affinity.took(lane, live);
      return this.#splitOutsized(live);
    }
  }

  /** The next message as it was planned, ended jobs included. */
  #takeMessage(lane: Lane): Message | undefined {
    const [lanes, options] = [this.#lanes, this.#options];
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const suspects = this.#suspects.shift();
    if (suspects !== undefined) return plan(suspects, this.#limits);
    if (this.#interactive.length > 0) {
      const batches = plan(this.#take(this.#interactive), this.#limits);
      const message = fillMessage(batches, { lanes, beyond: this.#interactive.length }, options);
      this.#interactive.unshift(...batches.slice(message.length).flat());
      if (message.length > 0) return message;
    }
    if (this.#planned.length === 0) {
      if (this.#bulk.length === 0) return undefined;
      this.#planned = plan(this.#take(this.#bulk), this.#limits);
    }
    // All that is planned leaves before anything else is: what is put behind does not wait for long.
    if (options.sharesPrefixes) this.#planned = this.#affinity.arrange(this.#planned, lane);
    const message = fillMessage(this.#planned, { lanes, beyond: this.#bulk.length }, options);
    this.#planned.splice(0, message.length);
    return message;
  }

  /** Removes the items to plan from the front of `waiting`, leaving out those that nobody wants. */
  #take(waiting: Item[]): Item[] {
    return waiting.splice(0, this.#options.planAheadPairs).filter((item) => this.#keep(item));
  }

  /** @returns false if nobody wants it any more: it is forgotten */
  #keep(item: Item): boolean {
    const live = isLive(item);
    if (!live) this.#equal.remove(item);
    return live;
  }

  #bytesOf(message: Message): number {
    return this.#memory?.bytesOf(message.map(lengthsOf)) ?? 0;
  }

  #isOutsized(batch: readonly Item[]): boolean {
    return this.#memory?.isOutsized(lengthsOf(batch)) ?? false;
  }

  /** True if the work that goes first is for a lane that is over its share already. */
  #nextIsOutsized(): boolean {
    const next = this.#returned[0] ?? this.#planned.slice(0, 1);
    return next.some((batch) => this.#isOutsized(batch));
  }

  /**
   * A batch that no longer fits its lane's share (the budget was lowered since it was planned, or it is
   * a single long pair) goes alone, pair by pair; what is left of the message waits.
   */
  #splitOutsized(message: Message): Message {
    const at = message.findIndex((batch) => this.#isOutsized(batch));
    const batch = message[at];
    if (batch === undefined || (message.length === 1 && batch.length === 1)) return message;
    if (at > 0) {
      this.#returned.unshift(message.slice(at));
      return message.slice(0, at);
    }
    const rest = message.slice(1);
    if (rest.length > 0) this.#returned.unshift(rest);
    this.#returned.unshift(...batch.slice(1).map((item) => [[item]]));
    return [batch.slice(0, 1)];
  }

  /** Settles a pair that can never run. */
  #refuse(item: Item): boolean {
    const refusal = this.#memory?.refusal(item.pair.ids.length);
    if (refusal !== undefined) this.#settle(item, refusal);
    return refusal !== undefined;
  }

  #settle(item: Item, outcome: PairOutcome): void {
    this.#equal.remove(item);
    this.#observe({
      type: "settled",
      outcome: outcome.status === "scored" ? outcome.status : outcome.code,
      pairs: item.waiters.filter(({ work }) => !work.settled).length,
    });
    settle(item, outcome);
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
