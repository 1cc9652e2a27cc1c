import type { Redis, Result } from "ioredis";
import type { JobRecord } from "../core/job.js";
import { endedChannel, fenceCounterKey, jobKeys } from "../core/names.js";
import type { EndedNotices, ResultStore, Started } from "../core/stores.js";

/** Fences outlive any attempt: a worker frozen for longer than this may write once more. */
const FENCE_TTL_SECONDS = 604_800;

/**
 * KEYS: result, fence, fence counter. ARGV: fence TTL in seconds.
 * Returns {record} where the job has ended, else {false, fence, attempts}.
 */
const BEGIN = `
local record = redis.call("GET", KEYS[1])
if record then return {record} end
local fence = redis.call("INCR", KEYS[3])
redis.call("HSET", KEYS[2], "fence", fence)
local attempts = redis.call("HINCRBY", KEYS[2], "attempts", 1)
redis.call("EXPIRE", KEYS[2], ARGV[1])
return {false, fence, attempts}
`;

/**
 * KEYS: result, fence, payload. ARGV: fence, record, TTL in seconds, channel, job id.
 * Returns 1 where the record was written, 0 where the fence is not the newest.
 */
const COMMIT = `
if redis.call("HGET", KEYS[2], "fence") ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
redis.call("DEL", KEYS[3])
redis.call("PUBLISH", ARGV[4], ARGV[5])
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillBegin(
      result: string,
      fence: string,
      counter: string,
      ttlSeconds: number,
    ): Result<[string | null, number?, number?], Context>;
    rankmillCommit(
      result: string,
      fence: string,
      payload: string,
      fenceValue: number,
      record: string,
      ttlSeconds: number,
      channel: string,
      jobId: string,
    ): Result<number, Context>;
  }
}

function encode(record: JobRecord): string {
  if (record.status === "done") return `D${record.line}`;
  return `F${JSON.stringify({ code: record.code, message: record.message })}`;
}

function decode(text: string): JobRecord {
  if (text.startsWith("D")) return { status: "done", line: text.slice(1) };
  const { code, message } = JSON.parse(text.slice(1)) as { code: string; message: string };
  return { status: "failed", code, message };
}

/** The result store of one model on Redis. */
export class RedisResultStore implements ResultStore, EndedNotices {
  readonly #redis: Redis;
  readonly #tag: string;

  constructor(redis: Redis, tag: string) {
    this.#redis = redis;
    this.#tag = tag;
    redis.defineCommand("rankmillBegin", { numberOfKeys: 3, lua: BEGIN });
    redis.defineCommand("rankmillCommit", { numberOfKeys: 3, lua: COMMIT });
  }

  async begin(jobId: string): Promise<Started> {
    const [record, fence, attempts] = await this.#redis.rankmillBegin(
      jobKeys.result(this.#tag, jobId),
      jobKeys.fence(this.#tag, jobId),
      fenceCounterKey(this.#tag),
      FENCE_TTL_SECONDS,
    );
    if (record !== null) return { status: "ended", record: decode(record) };
    return { status: "begun", fence: fence ?? 0, attempts: attempts ?? 1 };
  }

  async commit(
    jobId: string,
    fence: number,
    record: JobRecord,
    ttlSeconds: number,
  ): Promise<boolean> {
    const written = await this.#redis.rankmillCommit(
      jobKeys.result(this.#tag, jobId),
      jobKeys.fence(this.#tag, jobId),
      jobKeys.payload(this.#tag, jobId),
      fence,
      encode(record),
      ttlSeconds,
      endedChannel(this.#tag),
      jobId,
    );
    return written === 1;
  }

  async read(jobIds: readonly string[]): Promise<(JobRecord | undefined)[]> {
    if (jobIds.length === 0) return [];
    const texts = await this.#redis.mget(jobIds.map((jobId) => jobKeys.result(this.#tag, jobId)));
    return texts.map((text) => (text === null ? undefined : decode(text)));
  }

  async accuse(jobId: string, pair: number): Promise<number> {
    return await this.#redis.hincrby(jobKeys.fence(this.#tag, jobId), `pair:${pair}`, 1);
  }

  async absolve(jobId: string, pair: number): Promise<void> {
    await this.#redis.hdel(jobKeys.fence(this.#tag, jobId), `pair:${pair}`);
  }

  async onEnded(listener: (jobId: string) => void): Promise<() => Promise<void>> {
    const subscriber = this.#redis.duplicate();
    subscriber.on("message", (_channel, jobId: string) => listener(jobId));
    // Losing the connection loses notices, never results: whoever listens polls as well.
    subscriber.on("error", () => {});
    await subscriber.subscribe(endedChannel(this.#tag));
    return async () => {
      subscriber.disconnect();
      await Promise.resolve();
    };
  }
}
