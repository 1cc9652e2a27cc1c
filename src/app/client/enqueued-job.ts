import { RankmillError } from "../../core/errors.js";
import type { EnqueueOutcome } from "../../core/job.js";
import { checkCall, orAborted, type ResultOptions } from "./call-options.js";
import type { Ranking } from "./ranking.js";

/** The things that a job's handle can have done. */
export interface JobActions {
  readonly wait: (options: ResultOptions) => Promise<Ranking>;
  /** Takes the job out of Redis. */
  readonly cancel: () => Promise<void>;
  /** Tells whoever waits for the job in this process. */
  readonly tellCancelled: () => Promise<void>;
}

/** A job in the queue. */
export class EnqueuedJob {
  readonly id: string;
  /** Whether the job is new, was under way, or was done already. */
  readonly outcome: EnqueueOutcome;
  /** The key of the ranking in Redis, for readers in other languages. */
  readonly resultKey: string;
  readonly #actions: JobActions;
  #cancelled = false;

  constructor(id: string, outcome: EnqueueOutcome, resultKey: string, actions: JobActions) {
    this.id = id;
    this.resultKey = resultKey;
    this.outcome = outcome;
    this.#actions = actions;
  }

  /**
   * Waits for the ranking. The job goes on however the wait ends, and may be asked again.
   *
   * @param options `timeoutMs`, `signal` or both
   * @throws RankmillError `no_worker` after `timeoutMs` if no worker serves the model; `timeout` if one
   *   does; `redis_unavailable` if Redis did not answer by then; `cancelled` after `cancel`; the job's own
   *   error, with its code, if it failed for good; the signal's reason
   */
  async result(options: ResultOptions): Promise<Ranking> {
    checkCall(options);
    if (options.timeoutMs === undefined && options.signal === undefined) {
      const message = "timeoutMs: is missing (a number of milliseconds), and so is signal";
      throw new RankmillError("invalid_field", message, { field: "timeoutMs" });
    }
    const waiting = this.#actions.wait(options);
    if (this.#cancelled) void this.#actions.tellCancelled();
    return await waiting;
  }

  /**
   * Takes the job out of the queue, or stops it; if others wait for it too, it goes on for them alone. A
   * `result` that is waited for rejects with `cancelled`.
   *
   * @throws the reason of `signal` if Redis has not answered by then
   */
  async cancel({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkCall({ signal });
    await orAborted(this.#actions.cancel(), signal);
    this.#cancelled = true;
    await orAborted(this.#actions.tellCancelled(), signal);
  }
}
