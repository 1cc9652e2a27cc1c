import { feedersKey } from "./keys.js";
import type { FeedingBoard, OtherFeeders } from "../core/ports/feeding-board.js";
import type { RedisClient } from "./redis-client.js";
import { serverTimeMs } from "./server-time.js";
import { waitOut } from "./wait-out.js";

/** Silence after which a feeder counts as gone: it is dead, or cut off. */
const SILENT_MS = 5_000;

/**
 * The feeders of one model's workers at present, on Redis: a hash, owner → until when that
 * counts, by the clock of Redis, and how much the workers drain of it.
 */
export class RedisFeedingBoard implements FeedingBoard {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, tag: string) {
    this.#redis = redis;
    this.#key = feedersKey(tag);
  }

  async post(owner: string, bytesPerSecond: number): Promise<OtherFeeders> {
    return await waitOut(() => this.#post(owner, bytesPerSecond));
  }

  async #post(owner: string, bytesPerSecond: number): Promise<OtherFeeders> {
    const nowMs = await serverTimeMs(this.#redis, this.#key);
    const posts = await this.#redis.hgetall(this.#key);
    const others = Object.entries(posts).filter(([other]) => other !== owner);
    const parsed = others.map(([other, post]) => {
      const [untilMs = 0, rate = 0] = post.split(" ").map(Number);
      return { other, untilMs, rate };
    });
    const silent = parsed.filter(({ untilMs }) => untilMs <= nowMs).map(({ other }) => other);
    const alive = parsed.filter(({ untilMs }) => untilMs > nowMs);
    const writing = this.#redis
      .pipeline()
      .hset(this.#key, owner, `${nowMs + SILENT_MS} ${Math.round(bytesPerSecond)}`)
      .pexpire(this.#key, SILENT_MS);
    if (silent.length > 0) writing.hdel(this.#key, ...silent);
    await writing.exec();
    return {
      runs: alive.length,
      bytesPerSecond: alive.reduce((sum, { rate }) => sum + rate, 0),
    };
  }

  async remove(owner: string): Promise<void> {
    await waitOut(() => this.#redis.hdel(this.#key, owner));
  }
}
