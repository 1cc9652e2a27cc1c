import type { Result } from "ioredis";
import { PRIORITIES, type Priority } from "../core/priority.js";
import { KEY_PREFIX, queueName } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs of a queue looked at in one turn; workers hold fewer. */
const MAX_JOBS = 1_000;

/**
 * KEYS: active, stalled-check. ARGV: prefix of job keys, longest time to live of a stalled-check and of
 * a lock in ms, most jobs. Returns 1 if the check was held up, the number of locks that were, and the
 * ids of active jobs without a lock.
 *
 * A clock that steps back leaves keys with a time to live that nobody gave them. They are cut to what
 * their holders would give them, who renew them long before if they live.
 */
const TEND = `
local held = 0
if redis.call("PTTL", KEYS[2]) > tonumber(ARGV[2]) then
  redis.call("DEL", KEYS[2])
  held = 1
end
local locks = 0
local unheld = {}
for _, id in ipairs(redis.call("LRANGE", KEYS[1], 0, ARGV[4] - 1)) do
  local lock = ARGV[1] .. id .. ":lock"
  local left = redis.call("PTTL", lock)
  if left == -2 then
    unheld[#unheld + 1] = id
  elseif left > tonumber(ARGV[3]) then
    redis.call("PEXPIRE", lock, ARGV[3])
    locks = locks + 1
  end
end
return {held, locks, unheld}
`;

/** KEYS: active. ARGV: prefix of job keys, most jobs. Returns the number of active jobs without a lock. */
const COUNT = `
local unheld = 0
for _, id in ipairs(redis.call("LRANGE", KEYS[1], 0, ARGV[2] - 1)) do
  if redis.call("EXISTS", ARGV[1] .. id .. ":lock") == 0 then unheld = unheld + 1 end
end
return unheld
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillTendActive(
      active: string,
      stalledCheck: string,
      jobPrefix: string,
      checkMs: number,
      lockMs: number,
      most: number,
    ): Result<[number, number, string[]], Context>;
    rankmillCountUnheld(active: string, jobPrefix: string, most: number): Result<number, Context>;
  }
}

export interface UnheldJobsOptions {
  readonly redis: RedisClient;
  readonly tag: string;
  /** The time to live that a worker gives the lock of a job in hand. */
  readonly lockDurationMs: number;
  /** The time to live of BullMQ's check for stalled jobs. */
  readonly stalledIntervalMs: number;
}

/** The findings of one turn. */
export interface Tended {
  /** Queues whose check for stalled jobs was held up by a key that lived too long. */
  readonly heldUp: readonly Priority[];
  /** Locks that would have outlived their holders for longer than they may. */
  readonly locks: number;
  /** Jobs that nobody has held for two lock times, given to BullMQ's check to hand out again. */
  readonly handedBack: readonly string[];
}

/**
 * Jobs of a model that are active though nobody holds them: BullMQ hands them on by keys that expire,
 * and after its clock has stepped back they expire late, or never in time.
 */
export class UnheldJobs {
  readonly #options: UnheldJobsOptions;
  /** When each was first seen without a lock, by the steady clock. */
  #since: ReadonlyMap<string, number> = new Map();

  constructor(options: UnheldJobsOptions) {
    this.#options = options;
    options.redis.defineCommand("rankmillTendActive", { numberOfKeys: 2, lua: TEND });
  }

  /** Jobs that nobody has held for two lock times, as of the last turn. */
  get overdue(): number {
    return this.#overdue(performance.now()).length;
  }

  /** One turn: mends what keeps jobs from being handed on. */
  async tend(): Promise<Tended> {
    const { redis, tag, lockDurationMs, stalledIntervalMs } = this.#options;
    const heldUp: Priority[] = [];
    const handedBack: string[] = [];
    const since = new Map<string, number>();
    let locks = 0;
    for (const priority of PRIORITIES) {
      const key = (part: string): string => `${KEY_PREFIX}:${queueName(tag, priority)}:${part}`;
      const [held, cut, unheld] = await redis.rankmillTendActive(
        key("active"),
        key("stalled-check"),
        key(""),
        stalledIntervalMs,
        // Another worker may give its own a little more.
        2 * lockDurationMs,
        MAX_JOBS,
      );
      if (held === 1) heldUp.push(priority);
      locks += cut;
      const nowMs = performance.now();
      for (const id of unheld) since.set(id, this.#since.get(id) ?? nowMs);
      const late = unheld.filter((id) => nowMs - (since.get(id) ?? nowMs) >= 2 * lockDurationMs);
      if (late.length === 0) continue;
      // The next check moves those that are in this set and have no lock, whoever makes it.
      await redis.sadd(key("stalled"), ...late);
      handedBack.push(...late);
    }
    this.#since = since;
    return { heldUp, locks, handedBack };
  }

  #overdue(nowMs: number): string[] {
    const limitMs = 2 * this.#options.lockDurationMs;
    return [...this.#since].filter(([, at]) => nowMs - at >= limitMs).map(([id]) => id);
  }
}

/** The number of active jobs of a model that nobody holds at this moment. */
export async function countUnheld(redis: RedisClient, tag: string): Promise<number> {
  redis.defineCommand("rankmillCountUnheld", { numberOfKeys: 1, lua: COUNT });
  let count = 0;
  for (const priority of PRIORITIES) {
    const prefix = `${KEY_PREFIX}:${queueName(tag, priority)}:`;
    count += await redis.rankmillCountUnheld(`${prefix}active`, prefix, MAX_JOBS);
  }
  return count;
}
