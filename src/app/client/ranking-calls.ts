import type { NewJob } from "../../core/job.js";
import { RankmillError } from "../../core/errors.js";
import type { RedisClient } from "../../redis/redis-client.js";
import { HeldJobs } from "../held-jobs.js";
import type { CallOptions } from "./call-options.js";
import { answered } from "./answered.js";
import { lateReason } from "./late-reason.js";
import type { OpenModel } from "./open-models.js";
import { rankingOf, type Ranking } from "./ranking.js";

/** Codes that say nothing of a job: its caller has stopped to wait for it. */
const GAVE_UP = new Set(["timeout", "no_worker", "redis_unavailable"]);

/**
 * The calls of one client that enqueue a job and wait for it. A job goes on as long as one of them waits;
 * once the last has given up, it is taken out of the queue. Its ranking stays for the next who asks.
 */
export class RankingCalls {
  readonly #redis: RedisClient;
  /** The owner of the calls' jobs. Jobs whose handles the caller holds have another: they go on whatever happens to a call. */
  readonly #owner: string;
  // Nobody is told of what Redis refuses here: keys have a time to live.
  readonly #held = new HeldJobs({ graceMs: 0, onError: () => {} });

  constructor(redis: RedisClient, owner: string) {
    this.#redis = redis;
    this.#owner = owner;
  }

  /**
   * @param enqueueTimeoutMs how long Redis may take to take the job
   * @throws RankmillError as `EnqueuedJob.result`; the signal's reason
   */
  async rank(
    model: OpenModel,
    job: NewJob,
    { timeoutMs, signal, enqueueTimeoutMs }: CallOptions & { readonly enqueueTimeoutMs: number },
  ): Promise<Ranking> {
    const { tag, queue } = model;
    const { jobId } = job;
    const set = { tag, queue, owner: this.#owner, jobIds: [jobId] };
    const untilMs = performance.now() + (timeoutMs ?? Infinity);
    const enqueuing = this.#held.hold(set).then(() => model.enqueue(job, this.#owner));
    try {
      const enqueueMs = Math.min(enqueueTimeoutMs, timeoutMs ?? Infinity);
      await answered(this.#redis, enqueuing, enqueueMs, signal);
      const left = timeoutMs === undefined ? undefined : Math.max(0, untilMs - performance.now());
      const ranking = await waitFor(this.#redis, model, jobId, {
        timeoutMs: left,
        signal,
        owner: this.#owner,
      });
      this.#held.endWith(set, keep);
      return ranking;
    } catch (error) {
      const gaveUp =
        signal?.aborted === true || (error instanceof RankmillError && GAVE_UP.has(error.code));
      // Not before the job is in: one that is enqueued later would stay.
      void enqueuing
        .then(
          () => {},
          () => {},
        )
        .then(() =>
          this.#held.endWith(set, gaveUp ? (ids) => queue.cancel(ids, this.#owner) : keep),
        );
      throw error;
    }
  }

  /** Resolves once what is being taken out is out. */
  async close(): Promise<void> {
    await this.#held.close();
  }
}

async function keep(): Promise<void> {
  await Promise.resolve();
}

/**
 * Waits for a job's ranking.
 *
 * @param owner in whose name it is waited for: a cancellation tells those of that name
 * @throws RankmillError `timeout` or `no_worker`; `redis_unavailable`; `cancelled`; the job's own error; the
 *   signal's reason
 */
export async function waitFor(
  redis: RedisClient,
  model: OpenModel,
  jobId: string,
  { timeoutMs, signal, owner }: CallOptions & { readonly owner: string },
): Promise<Ranking> {
  signal?.throwIfAborted();
  try {
    const line = await model.waiter.wait(jobId, { timeoutMs, signal, owner });
    return rankingOf(line, `the ranking of job ${jobId} in Redis`);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw error instanceof RankmillError ? await lateReason(redis, model, error) : error;
  }
}
