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
const FIND_AGAIN_MS = 60_000;
/** Redis may be gone when the models are closed; nothing is left to say then. */
const CLOSE_MS = 1_000;

/** A model by one of the names that a producer asks for it by. */
interface Found {
  readonly opening: Promise<OpenModel>;
  readonly atMs: number;
}

/**
 * The models that a producer has asked for: each is opened once, however many ask at the same time. A name is
 * looked up again every minute: its workers may serve another revision or form by then.
 */
export class OpenModels {
  readonly #redis: RedisClient;
  readonly #limits: Limits;
  readonly #findAgainMs: number;
  readonly #found = new Map<string, Found>();
  readonly #byTag = new Map<string, Promise<OpenModel>>();

  constructor(redis: RedisClient, limits: Limits, findAgainMs = FIND_AGAIN_MS) {
    this.#redis = redis;
    this.#limits = limits;
    this.#findAgainMs = findAgainMs;
  }

  /** @param find is called if the model was not looked for lately; `name` is what it is asked for by */
  async get(name: string, find: () => Promise<KnownModel>): Promise<OpenModel> {
    const known = this.#found.get(name);
    const atMs = performance.now();
    if (known !== undefined && atMs - known.atMs < this.#findAgainMs) return await known.opening;
    const opening = find().then((found) => this.#openOnce(found));
    // What was found once stays good enough: a name may be ambiguous by now, or Redis away.
    const found = {
      atMs,
      opening: known === undefined ? opening : opening.catch(() => known.opening),
    };
    this.#found.set(name, found);
    try {
      return await found.opening;
    } catch (error) {
      // A model that is not served yet may be in a moment.
      if (this.#found.get(name) === found) this.#found.delete(name);
      throw error;
    }
  }

  /** Waits a moment for a Redis that does not answer, and no longer. */
  async close(): Promise<void> {
    const closing = [...this.#byTag.values()].map(async (opening) => {
      const { queue, waiter } = await opening;
      await Promise.all([queue.close(), waiter.close()]);
    });
    await within(Promise.allSettled(closing), CLOSE_MS);
  }

  async #openOnce(known: KnownModel): Promise<OpenModel> {
    const tag = modelTag(known);
    const opening = this.#byTag.get(tag) ?? this.#openModel(known, tag);
    this.#byTag.set(tag, opening);
    try {
      return await opening;
    } catch (error) {
      this.#byTag.delete(tag);
      throw error;
    }
  }

  async #openModel(known: KnownModel, tag: string): Promise<OpenModel> {
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
