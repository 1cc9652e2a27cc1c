/** The scripts that Redis runs for a model's queues: who waits for a job, and where the job stands. */
import type { Result } from "ioredis";
import type { QueueState } from "../core/ports/job-queue.js";
import type { RedisClient } from "./redis-client.js";

/**
 * KEYS: of each job: owners, result, BullMQ's job, BullMQ's failed jobs. ARGV: owner, TTL of owners in
 * seconds; then the jobs' ids. Owners of a job that is done live as long as its result.
 *
 * Registers the owner first: from then on nobody else's release can take a result away. Returns of
 * each job: `done`; `joined` if it is under way; `failed` if BullMQ keeps it as failed; `leaving` if
 * BullMQ has it though nobody waits for it, and then the owner is not registered; else `new`. The record
 * of a failure goes: the job is about to be tried again.
 */
const REGISTER_OWNERS = `
local found = {}
for i = 1, #ARGV - 2 do
  local key = (i - 1) * 4
  local owners = redis.call("GET", KEYS[key + 1])
  local record = redis.call("GETRANGE", KEYS[key + 2], 0, 0)
  local held = record ~= "D" and redis.call("EXISTS", KEYS[key + 3]) == 1
  local failed = held and redis.call("ZSCORE", KEYS[key + 4], ARGV[i + 2])
  if held and not failed and not owners then
    found[i] = "leaving"
  else
    if not owners then
      owners = ARGV[1]
    elseif not string.find("\\n" .. owners .. "\\n", "\\n" .. ARGV[1] .. "\\n", 1, true) then
      owners = owners .. "\\n" .. ARGV[1]
    end
    redis.call("SET", KEYS[key + 1], owners, "EX", ARGV[2])
    if record == "D" then
      local left = redis.call("PTTL", KEYS[key + 2])
      if left > 0 then redis.call("PEXPIRE", KEYS[key + 1], left) end
      found[i] = "done"
    elseif held and not failed then
      found[i] = "joined"
    else
      if record == "F" then redis.call("DEL", KEYS[key + 2]) end
      found[i] = failed and "failed" or "new"
    end
  end
end
return found
`;

/**
 * KEYS: the keys of each job, the owners first. ARGV: the number of keys per job, owner. Returns, for
 * each job, 1 if nobody waits for it any more and its keys were deleted.
 */
const RELEASE = `
local released = {}
local gone = {}
for i = 1, #KEYS, ARGV[1] do
  local left = {}
  local owners = redis.call("GET", KEYS[i]) or ""
  for owner in string.gmatch(owners, "[^\\n]+") do
    if owner ~= ARGV[2] then left[#left + 1] = owner end
  end
  local waiting = table.concat(left, "\\n")
  if waiting == "" then
    for key = i, i + ARGV[1] - 1 do gone[#gone + 1] = KEYS[key] end
  elseif waiting ~= owners then
    local left = redis.call("PTTL", KEYS[i])
    if left > 0 then redis.call("SET", KEYS[i], waiting, "PX", left) end
  end
  released[#released + 1] = waiting == "" and 1 or 0
end
if #gone > 0 then redis.call("UNLINK", unpack(gone)) end
return released
`;

/**
 * KEYS: of each queue: its failed jobs; then of each job: its key in each queue. ARGV: the jobs' ids.
 * Returns, for each job, `missing` if no queue has it, `failed` if one keeps it as failed and
 * none has it otherwise, else `queued`.
 */
const STATES = `
local states = {}
local queues = #KEYS / (#ARGV + 1)
for i = 1, #ARGV do
  local state = "missing"
  for queue = 1, queues do
    if state ~= "queued" and redis.call("EXISTS", KEYS[i * queues + queue]) == 1 then
      state = redis.call("ZSCORE", KEYS[queue], ARGV[i]) and "failed" or "queued"
    end
  end
  states[i] = state
end
return states
`;

/** A job as it is found when an owner registers. */
export type FoundJob = "done" | "joined" | "failed" | "new" | "leaving";

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillRegisterOwners(
      keys: number,
      ...keysAndArgs: (string | number)[]
    ): Result<FoundJob[], Context>;
    rankmillStates(keys: number, ...keysAndIds: string[]): Result<QueueState[], Context>;
    rankmillRelease(keys: number, ...keysAndArgs: (string | number)[]): Result<number[], Context>;
  }
}

/** Makes the scripts commands of this connection. */
export function defineQueueScripts(redis: RedisClient): void {
  redis.defineCommand("rankmillRegisterOwners", { lua: REGISTER_OWNERS });
  redis.defineCommand("rankmillRelease", { lua: RELEASE });
  redis.defineCommand("rankmillStates", { lua: STATES });
}
