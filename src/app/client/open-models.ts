import type { Limits } from "../../core/contract.js";
import type { ModelKey } from "../../core/job.js";
import { modelTag } from "../../redis/keys.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import { Waiter } from "./waiter.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** The facts that a producer knows of a model that it was asked for. */
export interface KnownModel extends ModelKey {
  readonly maxLength?: { readonly default: number; readonly highest: number };
}

/** A model with its queues, and the one subscription over which all wait for its jobs. */
export interface OpenModel {
  readonly name: string;
  readonly tag: string;
  readonly maxLength: { readonly default: number; readonly highest: number } | undefined;
  readonly queue: RedisJobQueue;
  readonly waiter: Waiter;
}

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

  async close(): Promise<void> {
    const models = await Promise.all(this.#open.values());
    await Promise.all(models.flatMap(({ queue, waiter }) => [queue.close(), waiter.close()]));
  }

  async #openModel(find: () => Promise<KnownModel>): Promise<OpenModel> {
    const known = await find();
    const tag = modelTag(known);
    return {
      name: known.name,
      tag,
      maxLength: known.maxLength,
      queue: new RedisJobQueue(this.#redis, tag, this.#limits.maxJobBytes),
      waiter: await Waiter.open(new RedisResultStore(this.#redis, tag)),
    };
  }
}
