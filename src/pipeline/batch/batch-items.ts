import { planBatches, type BatchLimits } from "./batch-plan.js";
import type { EncodedPair, PairOutcome } from "../../core/pair.js";
import type { LaneTime } from "../../core/ports/pair-scorer.js";
import type { Priority } from "../../core/priority.js";
import { cancelled } from "../cancelled.js";
import type { PairPrefix } from "./pair-prefix.js";

/** One job's pairs on their way through the lanes. */
export interface Work {
  /** When its pairs began to wait, on the clock of `performance.now`. */
  readonly enteredAtMs: number;
  readonly outcomes: (PairOutcome | undefined)[];
  remaining: number;
  settled: boolean;
  /** Messages with pairs of it that are in lanes, and since when there has been one. */
  inLanes: number;
  inLanesSinceMs: number;
  readonly time: LaneTime | undefined;
  readonly resolve: (outcomes: PairOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The work of a job's pairs. It ends once: with their outcomes, or with an error, which is
 * `cancelled` if `signal` aborts.
 */
export function openWork(
  pairs: number,
  signal: AbortSignal,
  time: LaneTime | undefined,
  resolve: (outcomes: PairOutcome[]) => void,
  reject: (error: Error) => void,
): Work {
  const onAbort = (): void => {
    work.reject(cancelled(signal));
  };
  const end = (): boolean => {
    if (work.settled) return false;
    work.settled = true;
    signal.removeEventListener("abort", onAbort);
    return true;
  };
  const work: Work = {
    enteredAtMs: performance.now(),
    outcomes: Array.from<PairOutcome | undefined>({ length: pairs }),
    remaining: pairs,
    settled: false,
    inLanes: 0,
    inLanesSinceMs: 0,
    time,
    resolve: (outcomes) => {
      if (end()) resolve(outcomes);
    },
    reject: (error) => {
      if (end()) reject(error instanceof Error ? error : new Error(String(error)));
    },
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return work;
}

/** The thing that one job waits for: the outcome of its pair at `index`. */
export interface PairWaiter {
  readonly work: Work;
  readonly index: number;
}

/** A pair that is scored once, for all that wait for it: documents of one job or of several. */
export interface Item {
  readonly pair: EncodedPair;
  readonly prefix: PairPrefix;
  readonly priority: Priority;
  waiters: PairWaiter[];
  attempts: number;
  /** True once a lane has asked for it: from then on it goes before all that wait. */
  departed: boolean;
}

/** The pairs that one lane gets at once: each inner list is one `session.run`. */
export type Message = readonly (readonly Item[])[];

/** When the first job began to wait for one of its pairs. */
export function enteredAtMs(message: Message): number {
  const waiters = message.flat().flatMap((item) => item.waiters);
  return waiters.reduce((oldest, { work }) => Math.min(oldest, work.enteredAtMs), Infinity);
}

/**
 * Counts the time of a message in its lane for those of its jobs that want it counted.
 *
 * @returns to be called when the lane has let go of the message
 */
export function countLaneTime(message: Message): () => void {
  const waiters = message.flat().flatMap((item) => item.waiters);
  const works = new Set(waiters.map(({ work }) => work).filter(({ time }) => time !== undefined));
  const startMs = performance.now();
  for (const work of works) {
    if (work.inLanes === 0) work.inLanesSinceMs = startMs;
    work.inLanes += 1;
  }
  return () => {
    const endMs = performance.now();
    for (const work of works) {
      work.inLanes -= 1;
      if (work.inLanes === 0 && work.time !== undefined) {
        work.time.laneMs += endMs - work.inLanesSinceMs;
      }
    }
  };
}

export function lengthsOf(batch: readonly Item[]): number[] {
  return batch.map(({ pair }) => pair.ids.length);
}

export function outcomeOf(logit: number | undefined): PairOutcome {
  if (logit !== undefined && Number.isFinite(logit)) return { status: "scored", logit };
  return {
    status: "failed",
    code: "not_a_number",
    message: `the model gave ${String(logit)} for this document`,
  };
}

/** Gives `outcome` to all that wait for the item; who ended meanwhile does not look. */
export function settle(item: Item, outcome: PairOutcome): void {
  for (const { work, index } of item.waiters) {
    work.outcomes[index] = outcome;
    work.remaining -= 1;
    if (work.remaining === 0) work.resolve(work.outcomes.filter((one) => one !== undefined));
  }
}

/** False if every job that wanted it has ended, or another item took its waiters over. */
export function isLive({ waiters }: Item): boolean {
  return waiters.some(({ work }) => !work.settled);
}

/**
 * Batches of items that share a prefix, those of the first item's prefix first: a lane then keeps what it
 * computed. Their tokens beside the prefix count.
 */
export function plan(items: readonly Item[], limits: BatchLimits): Item[][] {
  const byPrefix = new Map<number, Item[]>();
  for (const item of items) {
    const group = byPrefix.get(item.prefix.key);
    if (group === undefined) byPrefix.set(item.prefix.key, [item]);
    else group.push(item);
  }
  return [...byPrefix.values()].flatMap((group) => planGroup(group, limits));
}

function planGroup(items: readonly Item[], limits: BatchLimits): Item[][] {
  const shared = items[0]?.prefix.tokens ?? 0;
  const lengths = items.map(({ pair, prefix }) => pair.ids.length - prefix.tokens);
  const fits: BatchLimits["fits"] = (rows, longest) =>
    limits.fits?.(rows, longest + shared) ?? true;
  return planBatches(lengths, { ...limits, fits }).map((batch) =>
    batch.map((index) => items[index]).filter((item) => item !== undefined),
  );
}
