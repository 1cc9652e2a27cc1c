import type { Limits } from "../../core/contract.js";
import type { EnqueueOutcome, ModelKey, NewJob } from "../../core/job.js";
import { Coalescer } from "../../platform/coalesce.js";
import { within } from "../../platform/unless-aborted.js";
import { modelTag } from "../../redis/keys.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import type { ScoredModel } from "./scoring-for.js";
import { Waiter } from "./waiter.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The facts that a producer knows of a model that it was asked for. */
export interface KnownModel extends ModelKey, ScoredModel {}

/** A model with its queues, and the one subscription over which all wait for its jobs. */
export interface OpenModel extends ScoredModel {
  readonly tag: string;
  readonly precision: string;
  readonly form: string | undefined;
  readonly queue: RedisJobQueue;
  readonly waiter: Waiter;
  /** Enqueues one job; those of one turn of the event loop go to Redis together. */
  readonly enqueue: (job: NewJob, owner: string) => Promise<EnqueueOutcome>;
}

/** Jobs that are enqueued together, at most. */
const ENQUEUE_JOBS = 250;
/** Redis may be gone when the models are closed; nothing is left to say then. */
const CLOSE_MS = 1_000;

/** The models that a producer has asked for: each is opened once, however many ask at the same time. */
export class OpenModels {
  readonly #redis: RedisClient;
  readonly #limits: Limits;
  readonly #open = new Map<string, Promise<OpenModel>>();

  constructor(redis: RedisClient, limits: Limits) {
    this.#redis = redis;
    this.#limits = limits;
  }

  /** @param find is called unless the model is open already; `name` is what it is asked for by */
  async get(name: string, find: () => Promise<KnownModel>): Promise<OpenModel> {
    const known = this.#open.get(name);
    if (known !== undefined) return await known;
    const opening = this.#openModel(find);
    this.#open.set(name, opening);
    try {
      return await opening;
    } catch (error) {
      // A model that is not served yet may be in a moment.
      this.#open.delete(name);
      throw error;
    }
  }

  /** Waits a moment for a Redis that does not answer, and no longer. */
  async close(): Promise<void> {
    const closing = [...this.#open.values()].map(async (opening) => {
      const { queue, waiter } = await opening;
      await Promise.all([queue.close(), waiter.close()]);
    });
    await within(Promise.allSettled(closing), CLOSE_MS);
  }

  async #openModel(find: () => Promise<KnownModel>): Promise<OpenModel> {
    const known = await find();
    const tag = modelTag(known);
    const queue = new RedisJobQueue(this.#redis, tag, this.#limits.maxJobBytes);
    return {
      name: known.name,
      tag,
      precision: known.precision,
      form: known.form,
      maxLength: known.maxLength,
      takesInstruction: known.takesInstruction,
      queue,
      enqueue: coalesced(queue),
      waiter: await Waiter.open(new RedisResultStore(this.#redis, tag)),
    };
  }
}

function coalesced(queue: RedisJobQueue): OpenModel["enqueue"] {
  const byOwner = new Map<string, Coalescer<NewJob, EnqueueOutcome>>();
  return async (job, owner) => {
    // Two names at most: a client's own, and that of its calls.
    let enqueues = byOwner.get(owner);
    if (enqueues === undefined) {
      enqueues = new Coalescer((jobs) => queue.enqueue(jobs, owner), ENQUEUE_JOBS);
      byOwner.set(owner, enqueues);
    }
    return await enqueues.ask(job);
  };
}
