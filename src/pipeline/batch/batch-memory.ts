import { longestWithin } from "../../core/cost/activation-fit.js";
import { passingBytes, type PrefixCost } from "../../core/cost/prefix-cost.js";
import type { ActivationBudget } from "../../core/cost/activation-budget.js";
import type { BatchShape } from "../../core/cost/lane-cost.js";
import type { PairOutcome } from "../../core/pair.js";
import { quadraticAt, type Quadratic } from "../../core/cost/quadratic.js";

export interface BatchMemoryOptions {
  readonly budget: ActivationBudget;
  /** Bytes that a lane takes for a batch, by its shape. */
  readonly activation: Quadratic;
  /** Of a model that shares prefixes. */
  readonly prefixes?: PrefixCost | undefined;
  /**
   * `shared`: all lanes live within one memory limit. `own`: each has a card's memory, so that a batch
   * that failed tells what is too much for one of them.
   */
  readonly kind: "shared" | "own";
  /** Decides whether a lane that failed ran out of memory. */
  readonly ranOutOfMemory: (error: unknown) => Promise<boolean>;
  /** Hears of the capacity in bytes that is left after memory ran out. */
  readonly onLowered: (capacityBytes: number) => void;
}

/** Tokens of each row of a batch. */
type BatchLengths = readonly number[];

/** Binds the batcher to a memory limit: what batches take of the activation budget, and what it learns. */
export class BatchMemory {
  readonly budget: ActivationBudget;
  readonly activation: Quadratic;
  readonly #options: BatchMemoryOptions;

  constructor(options: BatchMemoryOptions) {
    this.budget = options.budget;
    this.activation = options.activation;
    this.#options = options;
  }

  /** True if any lane may run it at any time. */
  fitsShare(rows: number, longest: number): boolean {
    return this.#bytes(rows, longest) <= this.budget.shareBytes;
  }

  /** True if the batch waits for room that other lanes must make. */
  isOutsized(batch: BatchLengths): boolean {
    return !this.fitsShare(batch.length, Math.max(0, ...batch));
  }

  /** Bytes that a lane needs for batches that follow each other: the largest decides. */
  bytesOf(batches: readonly BatchLengths[]): number {
    const bytes = batches.map((batch) => this.#bytes(batch.length, Math.max(0, ...batch)));
    return Math.max(0, ...bytes);
  }

  /** Outcome of a pair of `tokens` that can never run; undefined if it can. */
  refusal(tokens: number): PairOutcome | undefined {
    const { capacityBytes } = this.budget;
    const bytes = this.#bytes(1, tokens);
    if (bytes <= capacityBytes) return undefined;
    const longest = this.#longestWithin(capacityBytes);
    const message =
      this.#options.kind === "own"
        ? `a pair of ${tokens} tokens does not fit the GPU's memory, which ran out before: ${longest} tokens fit`
        : `a pair of ${tokens} tokens takes ${Math.ceil(bytes)} bytes, over the ${capacityBytes} that the memory limit leaves for activations: ${longest} tokens fit`;
    return { status: "failed", code: "pair_too_large", message };
  }

  /** Lowers the budget if `error` says that a lane ran out of memory within it, at one of `batches`. */
  async learnFrom(error: unknown, batches: readonly BatchLengths[]): Promise<void> {
    if (!(await this.#options.ranOutOfMemory(error))) return;
    this.#lower(this.#options.kind === "own" ? this.bytesOf(batches) : undefined);
  }

  /** Lowers the budget below a shape that one lane could not run. */
  tooLarge({ rows, length }: BatchShape): void {
    this.#lower(this.#bytes(rows, length));
  }

  #bytes(rows: number, longest: number): number {
    const passing = passingBytes(this.#options.prefixes, longest);
    return quadraticAt(this.activation, rows, longest) + passing;
  }

  #longestWithin(bytes: number): number {
    const { prefixes } = this.#options;
    const longest = longestWithin(this.activation, bytes);
    if (prefixes === undefined || passingBytes(prefixes, longest) === 0) return longest;
    const perToken = this.activation.perToken + prefixes.bytesPerToken;
    const beyond = longestWithin({ ...this.activation, perToken }, bytes);
    return Math.max(beyond, Math.floor(prefixes.keptBytes / prefixes.bytesPerToken));
  }

  /** @param laneBytes too much for one lane; undefined if all lanes together took too much */
  #lower(laneBytes: number | undefined): void {
    const tooMany = laneBytes === undefined ? undefined : laneBytes * this.budget.lanes;
    const capacityBytes = this.budget.lower(tooMany);
    if (capacityBytes !== undefined) this.#options.onLowered(capacityBytes);
  }
}
