/** A worker whose scores are made up: it takes jobs as every other does, and ends them when it is told. */
import { RankmillError } from "../../src/core/errors.js";
import type { JobEnd, JobSummary, TakenJob } from "../../src/core/job.js";
import { envelopeSchema } from "../../src/core/job-envelope.js";
import { listenForCancellations } from "../../src/redis/cancellations.js";
import { Consumer } from "../../src/redis/consumer.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";

/** A job with this query fails for good, as long as the worker is not `healed`. */
export const FAILS = "this query fails";
const CONCURRENCY = 4;

export class GatedWorker {
  /** Whether jobs with the query {@link FAILS} are ranked too. */
  healed = false;
  readonly #results: RedisResultStore;
  #subscriber: RedisClient | undefined;
  readonly #consumer: Consumer;
  #allowed = 0;
  #waiting: (() => void)[] = [];

  private constructor(redis: RedisClient, tag: string) {
    this.#results = new RedisResultStore(redis, tag);
    this.#consumer = new Consumer(
      redis,
      {
        tag,
        priority: "bulk",
        concurrency: CONCURRENCY,
        lockDurationMs: 30_000,
        stalledIntervalMs: 30_000,
        onEvent: () => {},
      },
      (job, signal) => this.#process(job, signal),
    );
  }

  static async start(redis: RedisClient, tag: string): Promise<GatedWorker> {
    const worker = new GatedWorker(redis, tag);
    worker.#subscriber = await listenForCancellations(redis, tag, [worker.#consumer]);
    await worker.#consumer.ready();
    worker.#consumer.start();
    return worker;
  }

  /** Jobs in hand. */
  get held(): number {
    return this.#consumer.held.length;
  }

  /** Lets so many jobs more come to their end. */
  letThrough(jobs: number): void {
    this.#allowed += jobs;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async close(): Promise<void> {
    await this.#consumer.close(0);
    this.#subscriber?.disconnect();
  }

  async #process(job: TakenJob, signal: AbortSignal): Promise<JobSummary> {
    const { jobId } = job;
    const envelope = envelopeSchema.parse(job.envelope);
    const started = await this.#results.begin(jobId);
    const summary = { pairs: envelope.pairs, tokens: 10, truncated: 0, failedPairs: 0 };
    if (started.status === "ended") return summary;
    if (started.status === "unwanted") throw new RankmillError("unwanted", "nobody waits for it");
    while (this.#allowed === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      if (signal.aborted) throw new RankmillError("cancelled", "the attempt was cancelled");
    }
    this.#allowed -= 1;
    const { id, query } = JSON.parse(envelope.request ?? "{}") as { id: string; query: string };
    const end = query === FAILS && !this.healed ? FAILED : done(id, envelope.pairs);
    await this.#results.commit(jobId, started.fence, end, envelope.ttlSeconds);
    if (end.status === "failed") throw new RankmillError("limit_exceeded", end.message);
    return summary;
  }
}

const FAILED: JobEnd = { status: "failed", code: "limit_exceeded", message: "made to fail" };

function done(id: string, pairs: number): JobEnd {
  const usage = { pairs, tokens: 10, truncated: 0 };
  const results = [{ index: 0, relevance_score: 0.5, logit: 0 }];
  return { status: "done", line: JSON.stringify({ id, model: "made-up", results, usage }) };
}
