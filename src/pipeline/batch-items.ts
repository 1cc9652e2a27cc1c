import { planBatches, type BatchLimits } from "../core/batch-plan.js";
import type { EncodedPair, PairOutcome } from "../core/ports.js";

/** One job's pairs on their way through the lanes. */
export interface Work {
  readonly outcomes: (PairOutcome | undefined)[];
  remaining: number;
  settled: boolean;
  readonly resolve: (outcomes: PairOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface Item {
  readonly pair: EncodedPair;
  readonly work: Work;
  readonly index: number;
  attempts: number;
}

/** What one lane gets at once: each inner list is one `session.run`. */
export type Message = readonly (readonly Item[])[];

export function lengthsOf(run: readonly Item[]): number[] {
  return run.map(({ pair }) => pair.ids.length);
}

export function outcomeOf(logit: number | undefined): PairOutcome {
  if (logit !== undefined && Number.isFinite(logit)) return { status: "scored", logit };
  return {
    status: "failed",
    code: "not_a_number",
    message: `the model gave ${String(logit)} for this document`,
  };
}

/** Removes up to `count` items from the front of `waiting`, leaving out those of ended jobs. */
export function takeLive(waiting: Item[], count: number): Item[] {
  return waiting.splice(0, count).filter((item) => !item.work.settled);
}

export function plan(items: readonly Item[], limits: BatchLimits): Item[][] {
  const lengths = items.map((item) => item.pair.ids.length);
  return planBatches(lengths, limits).map((batch) =>
    batch.map((index) => items[index]).filter((item) => item !== undefined),
  );
}
