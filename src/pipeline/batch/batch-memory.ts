import { longestWithin } from "../../core/cost/activation-fit.js";
import type { ActivationBudget } from "../../core/cost/activation-budget.js";
import type { PairOutcome } from "../../core/pair.js";
import { quadraticAt, type Quadratic } from "../../core/cost/quadratic.js";

/** What binds the batcher to a memory limit. */
export interface BatcherMemory {
  readonly budget: ActivationBudget;
  /** Bytes that a lane takes for a batch, by its shape. */
  readonly activation: Quadratic;
  /** Decides whether a lane that failed ran out of memory. */
  readonly ranOutOfMemory: (error: unknown) => Promise<boolean>;
  readonly onLowered: (capacityBytes: number) => void;
  /** True where each lane has memory of its own, a GPU's: a batch that failed tells what is too much. */
  readonly separate?: boolean | undefined;
  /** Why a pair of `tokens` is refused where at most `longest` fit; default: the memory limit. */
  readonly refusal?: ((tokens: number, longest: number) => string) | undefined;
}

/** Tokens of each row of a batch. */
type BatchLengths = readonly number[];

/** What batches take of the activation budget; everything fits where there is none. */
export class BatchMemory {
  readonly #memory: BatcherMemory | undefined;

  constructor(memory: BatcherMemory | undefined) {
    this.#memory = memory;
  }

  /** True where any lane may do it at any time. */
  fitsShare(rows: number, longest: number): boolean {
    if (this.#memory === undefined) return true;
    const { activation, budget } = this.#memory;
    return quadraticAt(activation, rows, longest) <= budget.shareBytes;
  }

  /** True where the batch waits for room that other lanes must make. */
  isOutsized(batch: BatchLengths): boolean {
    return !this.fitsShare(batch.length, Math.max(0, ...batch));
  }

  /** What a lane needs for batches that follow each other: the largest decides. */
  bytesOf(batches: readonly BatchLengths[]): number {
    const activation = this.#memory?.activation;
    if (activation === undefined) return 0;
    const bytes = batches.map((batch) =>
      quadraticAt(activation, batch.length, Math.max(0, ...batch)),
    );
    return Math.max(0, ...bytes);
  }

  /** What becomes of a pair of `tokens` that can never run; undefined where it can. */
  refusal(tokens: number): PairOutcome | undefined {
    if (this.#memory === undefined) return undefined;
    const { budget, activation } = this.#memory;
    const bytes = quadraticAt(activation, 1, tokens);
    if (bytes <= budget.capacityBytes) return undefined;
    const longest = longestWithin(activation, budget.capacityBytes);
    const message =
      this.#memory.refusal?.(tokens, longest) ??
      `a pair of ${tokens} tokens takes ${Math.ceil(bytes)} bytes, over the ${budget.capacityBytes} that the memory limit leaves for activations: ${longest} tokens fit`;
    return { status: "failed", code: "pair_too_large", message };
  }

  /** Lowers the budget where `error` says that a lane ran out of memory within it, at one of `batches`. */
  async learnFrom(error: unknown, batches: readonly BatchLengths[]): Promise<void> {
    if (this.#memory === undefined || !(await this.#memory.ranOutOfMemory(error))) return;
    const { budget, separate = false } = this.#memory;
    const capacity = budget.lower(separate ? this.bytesOf(batches) * budget.lanes : undefined);
    if (capacity !== undefined) this.#memory.onLowered(capacity);
  }
}
