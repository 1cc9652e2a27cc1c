import type { EnqueueOutcome } from "../../core/job.js";
import { rankingOf, type Ranking } from "./ranking.js";
import type { Waiter } from "./waiter.js";

/** A job in the queue. */
export class EnqueuedJob {
  readonly id: string;
  /** Whether the job is new, was under way, or was done already. */
  readonly outcome: EnqueueOutcome;
  readonly #waiter: Waiter;
  readonly #cancel: () => Promise<void>;

  constructor(id: string, outcome: EnqueueOutcome, waiter: Waiter, cancel: () => Promise<void>) {
    this.id = id;
    this.outcome = outcome;
    this.#waiter = waiter;
    this.#cancel = cancel;
  }

  /**
   * Waits for the ranking.
   *
   * @throws RankmillError `timeout` after `timeoutMs` (the job goes on, and may be asked again);
   *   the job's own error, with its code, if it failed for good
   */
  async result(options: { readonly timeoutMs: number }): Promise<Ranking> {
    const line = await this.#waiter.wait(this.id, options.timeoutMs);
    return rankingOf(line, `the ranking of job ${this.id} in Redis`);
  }

  /** Takes the job out of the queue, or stops it; does nothing if others wait for it too. */
  async cancel(): Promise<void> {
    await this.#cancel();
  }
}
