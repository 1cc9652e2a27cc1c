import type { Result } from "ioredis";
import { jobKeys } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

/**
 * KEYS: the owners of each job. ARGV: the owner who leaves, the owner who takes its place. A job that
 * the first does not own stays as it is.
 */
const HAND_OVER = `
for i = 1, #KEYS do
  local owners = redis.call("GET", KEYS[i])
  local found, left = false, {}
  for owner in string.gmatch(owners or "", "[^\\n]+") do
    if owner == ARGV[1] then found = true
    elseif owner ~= ARGV[2] then left[#left + 1] = owner end
  end
  if found then
    left[#left + 1] = ARGV[2]
    redis.call("SET", KEYS[i], table.concat(left, "\\n"), "KEEPTTL")
  end
end
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillHandOver(keys: number, ...keysAndOwners: (string | number)[]): Result<unknown, Context>;
  }
}

/** Jobs per script: it blocks Redis for well under a millisecond. */
const CHUNK_JOBS = 200;

/** Jobs that `from` waits for are `to`'s from now on. Neither name may hold a quote, `\` or a line break. */
export async function handOver(
  redis: RedisClient,
  tag: string,
  jobIds: readonly string[],
  from: string,
  to: string,
): Promise<void> {
  redis.defineCommand("rankmillHandOver", { lua: HAND_OVER });
  for (let at = 0; at < jobIds.length; at += CHUNK_JOBS) {
    const keys = jobIds.slice(at, at + CHUNK_JOBS).map((jobId) => jobKeys.owners(tag, jobId));
    await redis.rankmillHandOver(keys.length, ...keys, from, to);
  }
}
