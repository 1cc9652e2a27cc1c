import { randomUUID } from "node:crypto";
import type { Caller } from "../../core/caller.js";
import { RankmillError } from "../../core/errors.js";
import type { Priority } from "../../core/priority.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { KeyLimitCounts } from "../../redis/key-limits.js";
import { endedHolders } from "./job-holders.js";
import { TooManyError } from "./too-many.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** Redis has this long for an answer. */
const ANSWER_WITHIN_MS = 2_500;
/** An answer may be on its way for a while after its deadline. */
const LATE_MS = 5_000;
/** Nobody knows when pairs get free: a client that asks again soon loses nothing. */
const PAIRS_RETRY_MS = 1_000;

/** Something that holds pairs of a caller until it ends. */
export interface PairHolder {
  readonly name: string;
  readonly pairs: number;
  /** After this time the pairs are let go, whatever has become of the holder. */
  readonly forMs: number;
}

/** The limits of keys, held by all gateways of one Redis together. */
export class CallerLimitKeeper {
  readonly #counts: KeyLimitCounts;
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#counts = new KeyLimitCounts(redis);
  }

  /**
   * Counts a request of the caller.
   *
   * @throws TooManyError over the key's requests per minute; RankmillError `redis_unavailable`
   */
  async admit({ keyId, limits }: Caller): Promise<void> {
    const { requestsPerMinute } = limits;
    if (requestsPerMinute === undefined) return;
    const waitMs = await answered(this.#counts.admit(keyId, requestsPerMinute));
    if (waitMs === 0) return;
    const message = `the key has used its ${requestsPerMinute} requests per minute: wait a little`;
    throw new TooManyError(message, waitMs);
  }

  /**
   * Holds pairs in flight. What the caller's limit never allows is refused for good.
   *
   * @returns what lets them go
   * @throws TooManyError over the key's pairs in flight; RankmillError `limit_exceeded`, `redis_unavailable`
   */
  async hold(
    { keyId, limits }: Caller,
    { name, pairs, forMs }: PairHolder,
  ): Promise<() => Promise<void>> {
    const most = limits.pairsInFlight;
    if (most === undefined) return async () => await Promise.resolve();
    if (pairs > most) {
      const limit = { name: "pairsInFlight", value: pairs, max: most, unit: "pairs" };
      const message = `documents: the request has ${pairs} pairs, and the key allows ${most} in flight`;
      throw new RankmillError("limit_exceeded", message, { field: "documents", limit });
    }
    const letGo = async (): Promise<void> => await this.#counts.letGo(keyId, [name]);
    const hold = async (): Promise<number | undefined> =>
      await answered(this.#counts.hold(keyId, name, { count: pairs, most }, forMs));
    if ((await hold()) === undefined) return letGo;
    // Nobody tells us when a job ends: those that have are found once they are in the way.
    const holders = await answered(this.#counts.holders(keyId, MAX_LOOKED_AT));
    const ended = await answered(endedHolders(this.#redis, holders));
    await answered(this.#counts.letGo(keyId, ended));
    const held = await hold();
    if (held === undefined) return letGo;
    const message = `the key has ${held} pairs in flight, of ${most}: wait until some have ended`;
    throw new TooManyError(message, PAIRS_RETRY_MS);
  }

  /**
   * Does work for a caller who waits for it, while its pairs are in flight.
   *
   * @param forMs the most that the work takes
   * @throws as {@link hold}, and what `work` throws
   */
  async holding<T>(
    caller: Caller,
    pairs: number,
    forMs: number,
    work: () => Promise<T>,
  ): Promise<T> {
    const holder = { name: randomUUID(), pairs, forMs: forMs + LATE_MS };
    const letGo = await this.hold(caller, holder);
    try {
      return await work();
    } finally {
      // Whatever is not let go goes with its time.
      void letGo().catch(() => {});
    }
  }

  /** Lets pairs go before their time. */
  async letGo({ keyId, limits }: Caller, holders: readonly string[]): Promise<void> {
    if (limits.pairsInFlight !== undefined) await this.#counts.letGo(keyId, holders);
  }
}

/** Holders that are asked whether they have ended, the oldest first. */
const MAX_LOOKED_AT = 500;

/**
 * The priority of a caller's job.
 *
 * @param wanted undefined: the highest that the key allows
 * @throws RankmillError `limit_exceeded` for one above it
 */
export function priorityOf({ limits }: Caller, wanted: Priority | undefined): Priority {
  const { highestPriority = "interactive" } = limits;
  if (wanted === "interactive" && highestPriority === "bulk") {
    const message = "priority: the key allows bulk at most";
    throw new RankmillError("limit_exceeded", message, { field: "priority" });
  }
  return wanted ?? highestPriority;
}

async function answered<T>(promise: Promise<T>): Promise<T> {
  const waited = await waitAtMost(promise, ANSWER_WITHIN_MS);
  if (waited.status === "settled") return waited.value;
  const message = `Redis has not answered for ${ANSWER_WITHIN_MS} ms`;
  throw new RankmillError("redis_unavailable", message);
}
