/** The reason of an attempt that is aborted because its job may be in other hands by now. */
export const LOCK_LOST = new Error("its lock was lost");

interface Attempt {
  readonly controller: AbortController;
  readonly renewing: NodeJS.Timeout | undefined;
}

export interface HeldAttemptsOptions {
  readonly lockDurationMs: number;
  readonly onLockLost: (jobId: string) => void;
}

/**
 * The attempts that a consumer has in hand, the newest of each job. A process that stood still for longer than
 * a lock lasts may be handed its own job again: the earlier attempt is aborted then, and its end leaves the
 * later one alone.
 *
 * BullMQ renews one lock per job, and no longer once any attempt at the job has ended. So an attempt that may
 * have an earlier one beside it renews its lock itself.
 */
export class HeldAttempts {
  readonly #options: HeldAttemptsOptions;
  readonly #newest = new Map<string, Attempt>();

  constructor(options: HeldAttemptsOptions) {
    this.#options = options;
  }

  get jobIds(): readonly string[] {
    return [...this.#newest.keys()];
  }

  get size(): number {
    return this.#newest.size;
  }

  /**
   * @param renew renews the attempt's lock and says whether it had it still; undefined for a job's first
   *   attempt, whose lock BullMQ renews
   */
  begin(
    jobId: string,
    renew: (() => Promise<boolean>) | undefined,
  ): { readonly signal: AbortSignal; readonly end: () => void } {
    const earlier = this.#newest.get(jobId);
    if (earlier !== undefined) this.#lose(jobId, earlier.controller);
    const controller = new AbortController();
    const renewing = renew === undefined ? undefined : this.#renew(jobId, controller, renew);
    const attempt = { controller, renewing };
    this.#newest.set(jobId, attempt);
    const end = (): void => {
      clearInterval(renewing);
      if (this.#newest.get(jobId) === attempt) this.#newest.delete(jobId);
    };
    return { signal: controller.signal, end };
  }

  /** Aborts the newest attempt at a job, if it is in hand. */
  abort(jobId: string, reason: Error): void {
    this.#newest.get(jobId)?.controller.abort(reason);
  }

  abortAll(reason: Error): void {
    for (const { controller } of this.#newest.values()) controller.abort(reason);
  }

  /** Aborts an attempt whose lock BullMQ could not renew. One that renews its own knows better. */
  lockLost(jobId: string): void {
    const attempt = this.#newest.get(jobId);
    if (attempt === undefined || attempt.renewing !== undefined) return;
    this.#lose(jobId, attempt.controller);
  }

  #renew(
    jobId: string,
    controller: AbortController,
    renew: () => Promise<boolean>,
  ): NodeJS.Timeout {
    let asking = false;
    return setInterval(() => {
      if (asking || controller.signal.aborted) return;
      asking = true;
      renew()
        .then((held) => {
          if (!held) this.#lose(jobId, controller);
        })
        // An outage: the next turn asks again.
        .catch(() => {})
        .finally(() => (asking = false));
    }, this.#options.lockDurationMs / 2);
  }

  #lose(jobId: string, controller: AbortController): void {
    if (controller.signal.aborted) return;
    this.#options.onLockLost(jobId);
    controller.abort(LOCK_LOST);
  }
}
