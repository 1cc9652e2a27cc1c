import type { Result } from "ioredis";
import { PRIORITIES, type Priority } from "../core/priority.js";
import { bullJobKey, jobKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs looked at in one script: it blocks Redis for a few milliseconds. */
const SCRIPT_JOBS = 500;
/** Jobs looked for in one script: in a queue of 100,000 jobs each takes under a millisecond. */
const TAKE_OUT_JOBS = 50;
/** BullMQ's keys of one job, beside its hash. */
const JOB_KEY_ENDINGS = ["", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful"];

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

/** KEYS: a sorted set of jobs. ARGV, returns: as above. */
const SWEEP_SET = `${REMOVE}
local ids = redis.call("ZRANGE", KEYS[1], ARGV[3], ARGV[3] + ARGV[4] - 1)
local owners = ownersOf(ids)
local taken = 0
for i, id in ipairs(ids) do
  if not owners[i] then
    redis.call("ZREM", KEYS[1], id)
    remove(id)
    taken = taken + 1
  end
end
removeAll()
return {#ids, taken}
`;

/**
 * KEYS: the parts of a queue that jobs can be in: lists, then sorted sets. ARGV: prefixes; the number of
 * lists; ids. Takes out the jobs that nobody waits for in that very moment. Returns the ids of those that
 * workers hold, which stay.
 */
const TAKE_OUT = `${REMOVE}
local ids = {unpack(ARGV, 4)}
local owners = ownersOf(ids)
local held = {}
for i, id in ipairs(ids) do
  local job = ARGV[2] .. id
  if not owners[i] and redis.call("EXISTS", job) == 1 then
    if redis.call("EXISTS", job .. ":lock") == 1 then
      held[#held + 1] = id
    else
      for k, part in ipairs(KEYS) do
        if k <= tonumber(ARGV[3]) then redis.call("LREM", part, 1, id) else redis.call("ZREM", part, id) end
      end
      remove(id)
    end
  end
end
removeAll()
return held
`;
const LISTS = ["wait", "paused", "active"] as const;
const SETS = ["delayed", "failed"] as const;

type Swept = [places: number, taken: number];

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillSweepList(key: string, ...args: (string | number)[]): Result<Swept, Context>;
    rankmillSweepSet(key: string, ...args: (string | number)[]): Result<Swept, Context>;
    rankmillTakeOut(keys: number, ...keysAndArgs: (string | number)[]): Result<string[], Context>;
  }
}

/**
 * Takes the jobs out of one of BullMQ's queues that wait for a worker, or for another attempt, and that
 * nobody waits for. Follows the layout of BullMQ 6.7.0.
 */
export async function takeOutUnwanted(
  redis: RedisClient,
  tag: string,
  priority: Priority,
): Promise<void> {
  redis.defineCommand("rankmillSweepList", { numberOfKeys: 1, lua: SWEEP_LIST });
  redis.defineCommand("rankmillSweepSet", { numberOfKeys: 1, lua: SWEEP_SET });
  const prefixes = prefixesOf(tag, priority);
  const part = (name: string): string => bullJobKey(tag, priority, name);
  for (const list of ["wait", "paused"]) {
    await sweep((from) => redis.rankmillSweepList(part(list), ...prefixes, from, SCRIPT_JOBS));
  }
  await sweep((from) => redis.rankmillSweepSet(part("delayed"), ...prefixes, from, SCRIPT_JOBS));
}

/**
 * Takes those of a few jobs out of BullMQ's queues that nobody waits for: each costs a walk through its
 * queue. Follows the layout of BullMQ 6.7.0.
 *
 * @returns ids of those that workers hold, which stay
 */
export async function takeOutJobs(
  redis: RedisClient,
  tag: string,
  jobIds: readonly string[],
): Promise<string[]> {
  redis.defineCommand("rankmillTakeOut", { lua: TAKE_OUT });
  const held: string[] = [];
  for (const priority of PRIORITIES) {
    const parts = [...LISTS, ...SETS].map((part) => bullJobKey(tag, priority, part));
    for (let at = 0; at < jobIds.length; at += TAKE_OUT_JOBS) {
      const some = jobIds.slice(at, at + TAKE_OUT_JOBS);
      const args = [...prefixesOf(tag, priority), LISTS.length, ...some];
      held.push(...(await redis.rankmillTakeOut(parts.length, ...parts, ...args)));
    }
  }
  return held;
}

function prefixesOf(tag: string, priority: Priority): readonly [owners: string, jobs: string] {
  return [jobKeys.owners(tag, ""), bullJobKey(tag, priority, "")];
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
