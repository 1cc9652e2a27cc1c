import type { Result } from "ioredis";
import { tenantKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

const MINUTE_MS = 60_000;

/**
 * KEYS: rate. ARGV: milliseconds per request, milliseconds that may be used ahead. A bucket that refills
 * at its rate, kept as the time at which it would be full again. Returns 0, or the milliseconds until the next request may come.
 */
const ADMIT = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local full = math.max(tonumber(redis.call("GET", KEYS[1]) or "0"), now) + tonumber(ARGV[1])
local ahead = full - now - tonumber(ARGV[2])
if ahead > 0 then return math.ceil(ahead) end
redis.call("SET", KEYS[1], string.format("%.3f", full), "PX", math.ceil(full - now) + 1)
return 0
`;

/**
 * KEYS: holders, pairs. ARGV: holder, its pairs, most pairs, milliseconds it may hold them. Lets go what was
 * held too long, 100 at a time. Returns -1 if the pairs are held now, else the pairs held by others.
 */
const HOLD = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, holder in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now, "LIMIT", 0, 100)) do
  redis.call("ZREM", KEYS[1], holder)
  local pairs = tonumber(redis.call("HGET", KEYS[2], holder) or "0")
  redis.call("HDEL", KEYS[2], holder)
  redis.call("HINCRBY", KEYS[2], "*", -pairs)
end
local known = redis.call("HEXISTS", KEYS[2], ARGV[1]) == 1
local held = tonumber(redis.call("HGET", KEYS[2], "*") or "0")
if not known and held + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return held end
if not known then
  redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
  redis.call("HINCRBY", KEYS[2], "*", ARGV[2])
end
redis.call("ZADD", KEYS[1], now + tonumber(ARGV[4]), ARGV[1])
for i = 1, 2 do
  if redis.call("PTTL", KEYS[i]) < tonumber(ARGV[4]) then redis.call("PEXPIRE", KEYS[i], ARGV[4]) end
end
return -1
`;

/** KEYS: holders, pairs. ARGV: holders. */
const LET_GO = `
for _, holder in ipairs(ARGV) do
  local pairs = redis.call("HGET", KEYS[2], holder)
  if pairs then
    redis.call("HDEL", KEYS[2], holder)
    redis.call("ZREM", KEYS[1], holder)
    if redis.call("HINCRBY", KEYS[2], "*", -tonumber(pairs)) <= 0 then redis.call("DEL", KEYS[2]) end
  end
end
return 0
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillAdmit(rate: string, perRequestMs: number, aheadMs: number): Result<number, Context>;
    rankmillHold(
      holders: string,
      pairs: string,
      holder: string,
      count: number,
      most: number,
      ms: number,
    ): Result<number, Context>;
    rankmillLetGo(holders: string, pairs: string, ...names: string[]): Result<number, Context>;
  }
}

/** The use that keys make of their limits, counted in Redis, so that all gateways hold one limit together. */
export class KeyLimitCounts {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    redis.defineCommand("rankmillAdmit", { numberOfKeys: 1, lua: ADMIT });
    redis.defineCommand("rankmillHold", { numberOfKeys: 2, lua: HOLD });
    redis.defineCommand("rankmillLetGo", { numberOfKeys: 2, lua: LET_GO });
  }

  /** Counts a request. @returns 0 if it may come, else the milliseconds until one may */
  async admit(keyId: string, requestsPerMinute: number): Promise<number> {
    const perRequestMs = MINUTE_MS / requestsPerMinute;
    return await this.#redis.rankmillAdmit(tenantKeys.rate(keyId), perRequestMs, MINUTE_MS);
  }

  /**
   * Holds pairs in flight for `holder`. One that holds pairs already keeps them, for longer.
   *
   * @param forMs the time after which they are let go, whatever has become of the holder
   * @returns undefined if they are held; else the pairs that others hold
   */
  async hold(
    keyId: string,
    holder: string,
    pairs: { readonly count: number; readonly most: number },
    forMs: number,
  ): Promise<number | undefined> {
    const { count, most } = pairs;
    const keys = [tenantKeys.holders(keyId), tenantKeys.pairs(keyId)] as const;
    const held = await this.#redis.rankmillHold(...keys, holder, count, most, forMs);
    return held === -1 ? undefined : held;
  }

  /** Lets pairs go; of a holder that has none it does nothing. */
  async letGo(keyId: string, holders: readonly string[]): Promise<void> {
    if (holders.length === 0) return;
    const keys = [tenantKeys.holders(keyId), tenantKeys.pairs(keyId)] as const;
    await this.#redis.rankmillLetGo(...keys, ...holders);
  }

  /** Those that hold pairs, the oldest first. */
  async holders(keyId: string, most: number): Promise<string[]> {
    return await this.#redis.zrange(tenantKeys.holders(keyId), 0, most - 1);
  }
}
