import type { Redis } from "ioredis";
import { jobKeys, KEY_PREFIX, queueName, runKeys } from "../../../../src/redis/keys.js";
import { heldJobs } from "../../../support/queue-view.js";
import { pickOf, type Fault, type FaultKind, type Struck } from "../fault.js";

const ANY = "*";
const BULK = `${KEY_PREFIX}:${queueName(ANY, "bulk")}`;
const HOUR_MS = 3_600_000;

/** Keys live until a moment: if the clock steps back, they live so much longer. */
async function stepBack(
  redis: Redis,
  what: string,
  patterns: readonly string[],
): Promise<Struck | undefined> {
  const keys = (await Promise.all(patterns.map((pattern) => redis.keys(pattern)))).flat();
  for (const key of keys) await redis.pexpire(key, HOUR_MS);
  return keys.length === 0 ? undefined : { victim: `${keys.length} ${what}` };
}

/** If the clock steps forward, they are gone at once. */
async function stepForward(
  redis: Redis,
  what: string,
  keys: readonly string[],
): Promise<Struck | undefined> {
  if (keys.length > 0) await redis.unlink(...keys);
  return keys.length === 0 ? undefined : { victim: `${keys.length} ${what}` };
}

/** Steps of Redis' clock, by editing what is left of times to live: no server takes a false clock. */
export const CLOCK_FAULTS = {
  "clock-back-stalled-check": {
    part: "redis",
    strike: async ({ redis }) => await stepBack(redis, "checks", [`${BULK}:stalled-check`]),
  },
  "clock-back-locks": {
    part: "redis",
    strike: async ({ redis }) => await stepBack(redis, "locks", [`${BULK}:*:lock`]),
  },
  "clock-back-leases": {
    part: "redis",
    strike: async ({ redis }) =>
      await stepBack(redis, "leases", [runKeys.owner(ANY), runKeys.lease(ANY)]),
  },
  "clock-forward-locks": {
    part: "redis",
    strike: async ({ redis }) =>
      await stepForward(redis, "locks", await redis.keys(`${BULK}:*:lock`)),
  },
  "clock-forward-leases": {
    part: "redis",
    strike: async ({ redis }) =>
      await stepForward(redis, "leases", await redis.keys(runKeys.owner(ANY))),
  },
  /** The fence of one job in hand: its attempt may not write any more. */
  "clock-forward-fence": {
    part: "redis",
    strike: async ({ redis }, fault: Fault) => {
      const jobId = pickOf(await heldJobs(redis), fault);
      if (jobId === undefined) return undefined;
      return await stepForward(redis, "fence", await redis.keys(jobKeys.fence(ANY, jobId)));
    },
  },
} as const satisfies Record<string, FaultKind>;
