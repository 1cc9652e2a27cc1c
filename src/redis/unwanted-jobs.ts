import type { Result } from "ioredis";
import type { Priority } from "../core/priority.js";
import { bullJobKey, jobKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs looked at in one script: it blocks Redis for a few milliseconds. */
const SCRIPT_JOBS = 500;
/** BullMQ's keys of one job, beside its hash. */
const JOB_KEY_ENDINGS = ["", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful"];

/** The reason with which BullMQ keeps a dropped job as failed, if its worker died before it took it away. */
export const DROPPED = "nobody waits for the job any more";

/**
 * Deletes BullMQ's keys of jobs. ARGV of every script: prefixes of owners and of BullMQ's jobs. One
 * command serves all jobs of a script: a command per job would take most of its time.
 */
const REMOVE = `
local gone = {}
local function remove(id)
  local job = ARGV[2] .. id
  for _, ending in ipairs({${JOB_KEY_ENDINGS.map((end) => `"${end}"`).join(", ")}}) do
    gone[#gone + 1] = job .. ending
  end
end
local function removeAll()
  if #gone > 0 then redis.call("UNLINK", unpack(gone)) end
end
local function ownersOf(ids)
  local keys = {}
  for i, id in ipairs(ids) do keys[i] = ARGV[1] .. id end
  return #keys == 0 and {} or redis.call("MGET", unpack(keys))
end
`;

/**
 * KEYS: a list of waiting jobs. ARGV: prefixes; first place, how many. Returns how many places there were
 * and how many jobs were taken out. Taken out are those whose owners are gone, in that very moment.
 *
 * The beginning of the list is cut off if all of it goes. Else a place is marked first and the marks are
 * removed at once: BullMQ's own removal reads the whole list for each job.
 */
const SWEEP_LIST = `${REMOVE}
local ids = redis.call("LRANGE", KEYS[1], ARGV[3], ARGV[3] + ARGV[4] - 1)
local owners = ownersOf(ids)
local places = {}
for i, id in ipairs(ids) do
  if not owners[i] then
    places[#places + 1] = ARGV[3] + i - 1
    remove(id)
  end
end
if #places == #ids and ARGV[3] == "0" then
  redis.call("LTRIM", KEYS[1], #ids, -1)
elseif #places > 0 then
  for _, place in ipairs(places) do redis.call("LSET", KEYS[1], place, "taken out") end
  redis.call("LREM", KEYS[1], #places, "taken out")
end
removeAll()
return {#ids, #places}
`;

/** KEYS: a sorted set of jobs. ARGV, returns: as above; with a reason, those alone that failed by it. */
const SWEEP_SET = `${REMOVE}
local ids = redis.call("ZRANGE", KEYS[1], ARGV[3], ARGV[3] + ARGV[4] - 1)
local owners = ownersOf(ids)
local taken = 0
for i, id in ipairs(ids) do
  local why = ARGV[5] == "" or redis.call("HGET", ARGV[2] .. id, "failedReason") == ARGV[5]
  if why and not owners[i] then
    redis.call("ZREM", KEYS[1], id)
    remove(id)
    taken = taken + 1
  end
end
removeAll()
return {#ids, taken}
`;

type Swept = [places: number, taken: number];

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillSweepList(key: string, ...args: (string | number)[]): Result<Swept, Context>;
    rankmillSweepSet(key: string, ...args: (string | number)[]): Result<Swept, Context>;
  }
}

/**
 * Takes the jobs out of one of BullMQ's queues that wait for a worker, or for another attempt, and that
 * nobody waits for; and what dropped jobs have left. Follows the layout of BullMQ 6.7.0.
 */
export async function takeOutUnwanted(
  redis: RedisClient,
  tag: string,
  priority: Priority,
): Promise<void> {
  redis.defineCommand("rankmillSweepList", { numberOfKeys: 1, lua: SWEEP_LIST });
  redis.defineCommand("rankmillSweepSet", { numberOfKeys: 1, lua: SWEEP_SET });
  const prefixes = [jobKeys.owners(tag, ""), bullJobKey(tag, priority, "")] as const;
  const part = (name: string): string => bullJobKey(tag, priority, name);
  for (const list of ["wait", "paused"]) {
    await sweep((from) => redis.rankmillSweepList(part(list), ...prefixes, from, SCRIPT_JOBS));
  }
  for (const [set, reason] of [
    ["delayed", ""],
    ["failed", DROPPED],
  ] as const) {
    await sweep((from) => {
      return redis.rankmillSweepSet(part(set), ...prefixes, from, SCRIPT_JOBS, reason);
    });
  }
}

/** Goes through all places: jobs that stay are passed over, new ones come in before them. */
async function sweep(some: (from: number) => Promise<Swept>): Promise<void> {
  for (let from = 0; ;) {
    const [places, taken] = await some(from);
    if (places === 0) return;
    from += places - taken;
  }
}

/** @returns those of `jobIds` that nobody waits for */
export async function unwantedOf(
  redis: RedisClient,
  tag: string,
  jobIds: readonly string[],
): Promise<string[]> {
  if (jobIds.length === 0) return [];
  const owners = await redis.mget(jobIds.map((jobId) => jobKeys.owners(tag, jobId)));
  return jobIds.filter((_, i) => owners[i] === null);
}
