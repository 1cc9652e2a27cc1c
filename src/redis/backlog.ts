import type { Result } from "ioredis";
import { KEY_PREFIX, queueName } from "./keys.js";
import type { Priority } from "../core/priority.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs looked at from either end of a list: twice as many are counted exactly. */
const SAMPLED_FROM_EACH_END = 100;

/**
 * KEYS: wait, active, delayed, failed of one queue. ARGV: prefix of job keys, jobs from each end.
 * Returns {jobs waiting, active, delayed, failed, pairs waiting, pairs active}; pairs as text.
 *
 * The number of pairs stands in a job's data; if a list is long, those of its oldest and newest
 * jobs stand for all.
 */
const BACKLOG = `
local ends = tonumber(ARGV[2])
local function pairsOf(list, length)
  if length == 0 then return "0" end
  local ids = redis.call("LRANGE", list, 0, length <= 2 * ends and -1 or ends - 1)
  if length > 2 * ends then
    for _, id in ipairs(redis.call("LRANGE", list, -ends, -1)) do ids[#ids + 1] = id end
  end
  local jobs, sum = 0, 0
  for _, id in ipairs(ids) do
    local data = redis.call("HGET", ARGV[1] .. id, "data")
    local found = data and string.match(data, '"pairs"%s*:%s*(%d+)')
    if found then
      jobs = jobs + 1
      sum = sum + tonumber(found)
    end
  end
  if jobs == 0 then return "0" end
  return string.format("%.0f", sum / jobs * length)
end
local waiting = redis.call("LLEN", KEYS[1])
local active = redis.call("LLEN", KEYS[2])
return {waiting, active, redis.call("ZCARD", KEYS[3]), redis.call("ZCARD", KEYS[4]),
  pairsOf(KEYS[1], waiting), pairsOf(KEYS[2], active)}
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillBacklog(
      wait: string,
      active: string,
      delayed: string,
      failed: string,
      jobPrefix: string,
      fromEachEnd: number,
    ): Result<[number, number, number, number, string, string], Context>;
  }
}

/** The contents of one queue, by BullMQ's names of its lists. */
export interface Backlog {
  readonly queue: Priority;
  readonly jobs: {
    readonly waiting: number;
    readonly active: number;
    readonly delayed: number;
    readonly failed: number;
  };
  /** Estimated from 200 jobs if there are more. */
  readonly pairs: { readonly waiting: number; readonly active: number };
}

/** One round trip for both queues of a model, of a cost that does not grow with them. */
export async function readBacklog(redis: RedisClient, tag: string): Promise<Backlog[]> {
  redis.defineCommand("rankmillBacklog", { numberOfKeys: 4, lua: BACKLOG });
  return await Promise.all(
    (["interactive", "bulk"] as const).map(async (queue): Promise<Backlog> => {
      const key = (part: string): string => `${KEY_PREFIX}:${queueName(tag, queue)}:${part}`;
      const [waiting, active, delayed, failed, waitingPairs, activePairs] =
        await redis.rankmillBacklog(
          key("wait"),
          key("active"),
          key("delayed"),
          key("failed"),
          key(""),
          SAMPLED_FROM_EACH_END,
        );
      return {
        queue,
        jobs: { waiting, active, delayed, failed },
        pairs: { waiting: Number(waitingPairs), active: Number(activePairs) },
      };
    }),
  );
}
