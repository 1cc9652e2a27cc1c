import { numbersName } from "../core/forms/numbers.js";
import { Queue } from "./bullmq.js";
import { KEY_PREFIX, modelTag, queueName } from "./keys.js";
import { listServedModels } from "./model-registry.js";
import type { RedisClient } from "./redis-client.js";

/** A queue to look at, with a name for people. */
export interface ShownQueue {
  readonly title: string;
  readonly queue: Queue;
}

/** Opens the queues of every model that was ever served on this Redis, by queue name. */
export class ModelQueues {
  readonly #redis: RedisClient;
  readonly #open = new Map<string, ShownQueue>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** All queues there are by now; those that were open stay the same. */
  async list(): Promise<ShownQueue[]> {
    for (const model of await listServedModels(this.#redis)) {
      for (const priority of ["interactive", "bulk"] as const) {
        const name = queueName(modelTag(model), priority);
        if (this.#open.has(name)) continue;
        const queue = new Queue(name, {
          connection: this.#redis,
          prefix: KEY_PREFIX,
          // A reader must not write: a queue's settings are those of its producers.
          skipMetasUpdate: true,
        });
        // Without a listener BullMQ prints it; the connection's owner hears of it already.
        queue.on("error", () => {});
        this.#open.set(name, { title: `${model.name} ${numbersName(model)} ${priority}`, queue });
      }
    }
    return [...this.#open.values()];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ queue }) => queue.close()));
  }
}
