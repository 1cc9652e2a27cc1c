import type { Caller } from "../../core/caller.js";
import { parseRequest, type Limits } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { ModelKey, ScoringOptions } from "../../core/job.js";
import type { Priority } from "../../core/priority.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { modelTag } from "../../redis/keys.js";
import { makeJob } from "../../redis/make-job.js";
import { listServedModels } from "../../redis/model-registry.js";
import { isOwnedBy, jobNamed, type PlacedJob } from "../../redis/owned-jobs.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import { scoringFor, type ScoredModel } from "../client/scoring-for.js";
import { priorityOf, type CallerLimitKeeper } from "./caller-limits.js";
import { holderOf } from "./job-holders.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** Redis has this long to take a job, or to say how it stands. */
const ANSWER_WITHIN_MS = 5_000;
/** Pairs of a job whose end nobody asks for are let go after this time. */
const HELD_FOR_MS = 3_600_000;

/** A job as a caller asks for it. */
export interface OwnJob {
  /** The request as the wire has it; held against the contract. */
  readonly request: unknown;
  readonly bytes: number;
  readonly scoring: Partial<ScoringOptions>;
  readonly priority: Priority | undefined;
  readonly ttlSeconds: number;
  /** Goes to the worker's log with the job. */
  readonly requestId: string;
}

/** The end or the state of a job. */
export type OwnedJobState =
  | { readonly status: "queued" }
  | { readonly status: "done"; /** The ranking, JSON. */ readonly line: string }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

type KnownModel = ModelKey & ScoredModel;

const LOST: OwnedJobState = {
  status: "failed",
  code: "job_lost",
  message: "the queue has lost the job",
};

/** Jobs of callers who do not wait for the answer: each sees their own and no others. */
export class OwnedJobs {
  readonly #redis: RedisClient;
  readonly #limits: Limits;
  readonly #keeper: CallerLimitKeeper;
  readonly #queues = new Map<string, RedisJobQueue>();

  constructor(redis: RedisClient, limits: Limits, keeper: CallerLimitKeeper) {
    this.#redis = redis;
    this.#limits = limits;
    this.#keeper = keeper;
  }

  /**
   * Enqueues a job; an equal one is joined, and is done at once if it was done before.
   *
   * @throws RankmillError `invalid_field`, `limit_exceeded`, `redis_unavailable`; TooManyError
   */
  async submit(caller: Caller, model: KnownModel, own: OwnJob): Promise<PlacedJob> {
    const request = parseRequest(own.request, this.#limits, own.bytes, "");
    const { scoring, ttlSeconds, requestId } = own;
    const options = scoringFor(scoring, model);
    const priority = priorityOf(caller, own.priority);
    const made = makeJob(request, options, { priority, ttlSeconds, requestId });
    const job = { id: made.jobId, tag: modelTag(model) };
    const pairs = request.documents.length;
    const holder = { name: holderOf(job), pairs, forMs: HELD_FOR_MS };
    const letGo = await this.#keeper.hold(caller, holder);
    try {
      await inTime(this.#queue(job.tag).enqueue([made], jobOwner(caller)));
    } catch (error) {
      await letGo().catch(() => {});
      throw error;
    }
    return job;
  }

  /**
   * @param name as `jobName` makes it
   * @throws RankmillError `not_found`, also for a job of another's; `redis_unavailable`
   */
  async find(caller: Caller, name: string): Promise<PlacedJob> {
    const tags = (await inTime(listServedModels(this.#redis))).map((model) => modelTag(model));
    const job = jobNamed(name, tags);
    const owners = ownersOf(caller);
    if (job !== undefined && (await inTime(isOwnedBy(this.#redis, job, owners)))) return job;
    const message = `there is no job ${JSON.stringify(name.slice(0, 200))}`;
    throw new RankmillError("not_found", message);
  }

  /** The state of a job that {@link find} gave. */
  async state(caller: Caller, job: PlacedJob): Promise<OwnedJobState> {
    const [end] = await inTime(new RedisResultStore(this.#redis, job.tag).read([job.id]));
    if (end !== undefined) {
      await this.#keeper.letGo(caller, [holderOf(job)]);
      return end;
    }
    const [place] = await inTime(this.#queue(job.tag).states([job.id]));
    if (place === "queued") return { status: "queued" };
    // It may have ended between the two questions.
    const [late] = await inTime(new RedisResultStore(this.#redis, job.tag).read([job.id]));
    return late ?? LOST;
  }

  /** Takes a job out of the queue, or stops it, and removes its ranking; for others who want it it goes on. */
  async remove(caller: Caller, { id, tag }: PlacedJob): Promise<void> {
    for (const owner of ownersOf(caller)) await inTime(this.#queue(tag).cancel([id], owner));
    await this.#keeper.letGo(caller, [holderOf({ id, tag })]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queue(tag: string): RedisJobQueue {
    const known = this.#queues.get(tag);
    if (known !== undefined) return known;
    const queue = new RedisJobQueue(this.#redis, tag, this.#limits.maxJobBytes);
    this.#queues.set(tag, queue);
    return queue;
  }
}

/** The owner of the jobs that a caller submits and asks for later. */
function jobOwner({ keyId }: Caller): string {
  return `job:${keyId}`;
}

/** All owners in whose name a caller's jobs wait: those of `lateOwner` were handed over by a request. */
function ownersOf(caller: Caller): readonly string[] {
  return [jobOwner(caller), `late:${caller.keyId}`];
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  const waited = await waitAtMost(promise, ANSWER_WITHIN_MS);
  if (waited.status === "settled") return waited.value;
  const message = `Redis has not answered for ${ANSWER_WITHIN_MS} ms`;
  throw new RankmillError("redis_unavailable", message);
}
