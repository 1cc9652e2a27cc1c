import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Result } from "ioredis";
import { runKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";
import { serverTimeMs } from "./server-time.js";

/** An owner that has not renewed for this long has lost its run; another may take it. */
const LEASE_MS = 10_000;
const RENEW_MS = 2_500;
/** Outlives any run that is still being worked on. */
const FENCE_TTL_SECONDS = 2_592_000;

/** KEYS: lease. ARGV: holder, time to live in ms. Returns 1 if the holder still holds it. */
const RENEW = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1
`;

/** KEYS: lease. ARGV: holder. Returns 1 if the lease was the holder's and is gone. */
const GIVE_BACK = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillRenewLease(lease: string, holder: string, ms: number): Result<number, Context>;
    rankmillGiveBackLease(lease: string, holder: string): Result<number, Context>;
  }
}

/**
 * The ownership of one run.
 *
 * *held*: renewed every few seconds. *lost*: Redis says that another holds it, or could not be
 * asked for as long as the lease lives; `signal` aborts, and the former owner must write no more.
 * An owner that is frozen meanwhile cannot know: that is why each writes under its own `fence`.
 */
export class Lease {
  /** Larger than that of every earlier owner of the run. */
  readonly fence: number;
  readonly signal: AbortSignal;
  readonly #redis: RedisClient;
  readonly #key: string;
  readonly #holder: string;
  readonly #lost = new AbortController();
  #renewedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  private constructor(redis: RedisClient, key: string, holder: string, fence: number) {
    this.#redis = redis;
    this.#key = key;
    this.#holder = holder;
    this.fence = fence;
    this.signal = this.#lost.signal;
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS);
  }

  /** @returns undefined if another owns the run */
  static async take(redis: RedisClient, run: string): Promise<Lease | undefined> {
    redis.defineCommand("rankmillRenewLease", { numberOfKeys: 1, lua: RENEW });
    redis.defineCommand("rankmillGiveBackLease", { numberOfKeys: 1, lua: GIVE_BACK });
    // Host and process are for people who ask who owns the run.
    const holder = `${hostname()}:${process.pid}:${randomUUID()}`;
    const key = runKeys.owner(run);
    if ((await redis.set(key, holder, "PX", LEASE_MS, "NX")) !== "OK") {
      await cutLongLease(redis, key, LEASE_MS);
      return undefined;
    }
    // Counted from the time: a run that was purged and submitted again must not give out the
    // fences of its former self, whose owner may be frozen still.
    const seconds = Math.floor((await serverTimeMs(redis, key)) / 1000);
    await redis.setnx(runKeys.ownerFence(run), String(seconds));
    const fence = await redis.incr(runKeys.ownerFence(run));
    await redis.expire(runKeys.ownerFence(run), FENCE_TTL_SECONDS);
    return new Lease(redis, key, holder, fence);
  }

  /** Gives the run back, so that another need not wait for the lease's end. */
  async giveBack(): Promise<void> {
    clearInterval(this.#timer);
    await this.#redis.rankmillGiveBackLease(this.#key, this.#holder);
  }

  async #renew(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      if ((await this.#redis.rankmillRenewLease(this.#key, this.#holder, LEASE_MS)) === 1) {
        this.#renewedAtMs = askedAtMs;
        return;
      }
    } catch {
      // An outage: the lease lives on until its time is over.
      if (performance.now() - this.#renewedAtMs < LEASE_MS) return;
    }
    clearInterval(this.#timer);
    this.#lost.abort(new Error("another has taken over the run"));
  }
}

/**
 * Cuts a lease that lives longer than its holder can have meant, as after a step of Redis' clock. A
 * holder that lives renews it long before.
 */
export async function cutLongLease(redis: RedisClient, key: string, ms: number): Promise<void> {
  if ((await redis.pttl(key)) > ms) await redis.pexpire(key, ms);
}
