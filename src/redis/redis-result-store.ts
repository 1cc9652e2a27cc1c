import type { Redis, Result } from "ioredis";
import { z } from "zod";
import { describeError } from "../core/errors.js";
import type { JobEnd } from "../core/job.js";
import { damaged, tryStored } from "../core/stored-json.js";
import { endedChannel, fenceCounterKey, jobKeys, refusedKey } from "./keys.js";
import type { JobEndNotices } from "../core/ports/job-end-notices.js";
import type { ResultStore, Started } from "../core/ports/result-store.js";
import { Coalescer } from "../platform/coalesce.js";
import { waitOut } from "./wait-out.js";

/** Fences outlive any attempt: a worker frozen for longer than this may write once more. */
const FENCE_TTL_SECONDS = 604_800;

/** Attempts begun, or records committed, in one script: it blocks Redis for well under a millisecond. */
const MAX_JOBS_A_SCRIPT = 32;

/**
 * KEYS: fence counter, refused owners; then of each job: result, fence, owners. ARGV: fence TTL in
 * seconds. Returns, for each job, {record} where it has ended, {false} where all its owners are
 * refused, else {false, fence, attempts}.
 *
 * One write a job: each is replicated and appended to Redis' file, which costs more than reading.
 */
const BEGIN = `
local refusing = redis.call("EXISTS", KEYS[2]) == 1
local function unwanted(key)
  if not refusing then return false end
  for owner in string.gmatch(redis.call("GET", key) or "", "[^\\n]+") do
    if redis.call("SISMEMBER", KEYS[2], owner) == 0 then return false end
  end
  return true
end
local begun = {}
local fresh = {}
for i = 3, #KEYS, 3 do
  local record = redis.call("GET", KEYS[i])
  begun[#begun + 1] = {record}
  if not record and not unwanted(KEYS[i + 2]) then fresh[#fresh + 1] = #begun end
end
if #fresh == 0 then return begun end
local fence = redis.call("INCRBY", KEYS[1], #fresh) - #fresh
for _, i in ipairs(fresh) do
  local key = KEYS[i * 3 + 1]
  local before = redis.call("GET", key)
  local attempts = before and tonumber(string.match(before, " (%d+)$")) + 1 or 1
  fence = fence + 1
  redis.call("SET", key, string.format("%d %d", fence, attempts), "EX", ARGV[1])
  begun[i] = {false, fence, attempts}
end
return begun
`;

/**
 * KEYS: of each job: result, fence, payload. ARGV: channel; then of each job: fence, record, TTL in
 * seconds, job id. Returns, for each job, 1 where the record was written, 0 where the fence is not
 * the newest. One notice tells of all that were written, their ids joined by commas.
 */
const COMMIT = `
local written = {}
local ended = {}
for i = 1, #KEYS / 3 do
  local key = (i - 1) * 3
  local arg = (i - 1) * 4 + 1
  local newest = redis.call("GET", KEYS[key + 2])
  if not newest or string.match(newest, "^%d+") ~= ARGV[arg + 1] then
    written[i] = 0
  else
    redis.call("SET", KEYS[key + 1], ARGV[arg + 2], "EX", ARGV[arg + 3])
    redis.call("DEL", KEYS[key + 3])
    ended[#ended + 1] = ARGV[arg + 4]
    written[i] = 1
  end
end
if #ended > 0 then redis.call("PUBLISH", ARGV[1], table.concat(ended, ",")) end
return written
`;

type Begun = [string | null, number?, number?];

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillBegin(keys: number, ...keysAndTtl: (string | number)[]): Result<Begun[], Context>;
    rankmillCommit(keys: number, ...keysAndArgs: (string | number)[]): Result<number[], Context>;
  }
}

interface Commit {
  readonly jobId: string;
  readonly fence: number;
  readonly record: JobEnd;
  readonly ttlSeconds: number;
}

function encode(record: JobEnd): string {
  if (record.status === "done") return `D${record.line}`;
  return `F${JSON.stringify({ code: record.code, message: record.message })}`;
}

const failureSchema = z.object({ code: z.string(), message: z.string() });

/** The end that a result key holds; of a key that somebody else wrote, a failure that says so. */
function decode(text: string): JobEnd {
  if (text.startsWith("D")) return { status: "done", line: text.slice(1) };
  const failure = text.startsWith("F") ? tryStored(failureSchema, text.slice(1)) : undefined;
  if (failure !== undefined) return { status: "failed", ...failure };
  return { status: "failed", ...describeError(damaged("the job's result in Redis", "no result")) };
}

/** The result store of one model on Redis. What is asked at once is asked in one script. */
export class RedisResultStore implements ResultStore, JobEndNotices {
  readonly #redis: Redis;
  readonly #tag: string;
  readonly #begins: Coalescer<string, Begun>;
  readonly #commits: Coalescer<Commit, number>;

  constructor(redis: Redis, tag: string) {
    this.#redis = redis;
    this.#tag = tag;
    redis.defineCommand("rankmillBegin", { lua: BEGIN });
    redis.defineCommand("rankmillCommit", { lua: COMMIT });
    this.#begins = new Coalescer((jobIds) => this.#begin(jobIds), MAX_JOBS_A_SCRIPT);
    this.#commits = new Coalescer((commits) => this.#commit(commits), MAX_JOBS_A_SCRIPT);
  }

  async begin(jobId: string): Promise<Started> {
    const [record, fence, attempts] = await this.#begins.ask(jobId);
    if (record !== null) return { status: "ended", record: decode(record) };
    if (fence === undefined) return { status: "unwanted" };
    return { status: "begun", fence, attempts: attempts ?? 1 };
  }

  async #begin(jobIds: readonly string[]): Promise<Begun[]> {
    const keys = jobIds.flatMap((jobId) => [
      jobKeys.result(this.#tag, jobId),
      jobKeys.fence(this.#tag, jobId),
      jobKeys.owners(this.#tag, jobId),
    ]);
    const common = [fenceCounterKey(this.#tag), refusedKey(this.#tag)];
    const args = [...common, ...keys, FENCE_TTL_SECONDS];
    return await waitOut(() => this.#redis.rankmillBegin(common.length + keys.length, ...args));
  }

  async commit(jobId: string, fence: number, record: JobEnd, ttlSeconds: number): Promise<boolean> {
    return (await this.#commits.ask({ jobId, fence, record, ttlSeconds })) === 1;
  }

  async #commit(commits: readonly Commit[]): Promise<number[]> {
    const keys = commits.flatMap(({ jobId }) => [
      jobKeys.result(this.#tag, jobId),
      jobKeys.fence(this.#tag, jobId),
      jobKeys.payload(this.#tag, jobId),
    ]);
    const args = commits.flatMap(({ jobId, fence, record, ttlSeconds }) => [
      fence,
      encode(record),
      ttlSeconds,
      jobId,
    ]);
    const channel = endedChannel(this.#tag);
    return await waitOut(() => this.#redis.rankmillCommit(keys.length, ...keys, channel, ...args));
  }

  async read(jobIds: readonly string[]): Promise<(JobEnd | undefined)[]> {
    if (jobIds.length === 0) return [];
    const keys = jobIds.map((jobId) => jobKeys.result(this.#tag, jobId));
    const texts = await waitOut(() => this.#redis.mget(keys));
    return texts.map((text) => (text === null ? undefined : decode(text)));
  }

  async accuse(jobId: string, pair: number): Promise<number> {
    const key = jobKeys.accused(this.#tag, jobId);
    const times = await this.#redis.hincrby(key, String(pair), 1);
    await this.#redis.expire(key, FENCE_TTL_SECONDS);
    return times;
  }

  async absolve(jobId: string, pair: number): Promise<void> {
    await this.#redis.hdel(jobKeys.accused(this.#tag, jobId), String(pair));
  }

  async onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>> {
    const subscriber = this.#redis.duplicate();
    subscriber.on("message", (_channel, jobIds: string) => jobIds.split(",").forEach(listener));
    // Losing the connection loses notices, never results: whoever listens polls as well.
    subscriber.on("error", () => {});
    await subscriber.subscribe(endedChannel(this.#tag));
    return async () => {
      subscriber.disconnect();
      await Promise.resolve();
    };
  }
}
