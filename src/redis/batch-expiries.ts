import { BATCH_EXPIRIES_KEY } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** The runs of batches whose time is bounded, by its end. */
export class BatchExpiries {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** @param atMs milliseconds since 1970 */
  async add(run: string, atMs: number): Promise<void> {
    await this.#redis.zadd(BATCH_EXPIRIES_KEY, atMs, run);
  }

  /** Those whose time is over; the longest ago first. */
  async due(nowMs: number, mostRuns: number): Promise<string[]> {
    return await this.#redis.zrangebyscore(BATCH_EXPIRIES_KEY, 0, nowMs, "LIMIT", 0, mostRuns);
  }

  async remove(run: string): Promise<void> {
    await this.#redis.zrem(BATCH_EXPIRIES_KEY, run);
  }
}
