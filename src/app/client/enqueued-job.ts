import { RankmillError } from "../../core/errors.js";
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
  #cancelled = false;

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
   *   `redis_unavailable` if Redis did not answer by then; `cancelled` after `cancel`; the job's own
   *   error, with its code, if it failed for good
   */
  async result({ timeoutMs }: { readonly timeoutMs: number }): Promise<Ranking> {
    checkTimeout(timeoutMs);
    const waiting = this.#waiter.wait(this.id, timeoutMs);
    if (this.#cancelled) void this.#waiter.cancelled(this.id);
    const line = await waiting;
    return rankingOf(line, `the ranking of job ${this.id} in Redis`);
  }

  /** Takes the job out of the queue, or stops it; if others wait for it too, it goes on for them alone. */
  async cancel(): Promise<void> {
    await this.#cancel();
    this.#cancelled = true;
    await this.#waiter.cancelled(this.id);
  }
}

/** A timer of Node takes no more; what is over fires at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new RankmillError(
    "invalid_field",
    `timeoutMs: is ${String(timeoutMs)}, not a number of milliseconds from 0 to ${MAX_TIMEOUT_MS}`,
    { field: "timeoutMs" },
  );
}
