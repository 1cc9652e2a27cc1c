import type { Result } from "ioredis";
import { z } from "zod";
import { describeError } from "../core/errors.js";
import type { JobEnd } from "../core/job.js";
import { damaged, tryStored } from "../core/stored-json.js";
import { endedChannel, fenceCounterKey, jobKeys, refusedKey } from "./keys.js";
import type { JobEndNotices } from "../core/ports/job-end-notices.js";
import type { ResultStore, Started } from "../core/ports/result-store.js";
import { BEGIN, COMMIT } from "./result-scripts.js";
import { Coalescer } from "../platform/coalesce.js";
import { waitOut } from "./wait-out.js";
import { duplicateClient, type RedisClient } from "./redis-client.js";

/** While an attempt is under way its fence lives as long as any attempt can take. */
const FENCE_TTL_SECONDS = 604_800;
/** After the end it lives on for several times a job's lock, so that attempts are still counted. */
const ENDED_FENCE_TTL_SECONDS = 150;

/** Attempts begun, or records committed, in one script: it blocks Redis for well under a millisecond. */
const MAX_JOBS_A_SCRIPT = 32;

type Begun = [record: string | null, fence?: number, attemptsOrWhy?: number | string];

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillBegin(keys: number, ...keysAndTtl: (string | number)[]): Result<Begun[], Context>;
    rankmillCommit(
      keys: number,
      ...keysAndArgs: (string | number)[]
    ): Result<(number | string)[], Context>;
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

/** The result store of one model on Redis. Questions that come together are one script. */
export class RedisResultStore implements ResultStore, JobEndNotices {
  readonly #redis: RedisClient;
  readonly #tag: string;
  readonly #begins: Coalescer<string, Begun>;
  readonly #commits: Coalescer<Commit, number | string>;

  constructor(redis: RedisClient, tag: string) {
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
    if (typeof attempts === "string") throw damaged(`job ${jobId} in Redis`, attempts);
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
    const written = await this.#commits.ask({ jobId, fence, record, ttlSeconds });
    if (typeof written === "string") throw damaged(`job ${jobId} in Redis`, written);
    return written === 1;
  }

  async #commit(commits: readonly Commit[]): Promise<(number | string)[]> {
    const keys = commits.flatMap(({ jobId }) => [
      jobKeys.result(this.#tag, jobId),
      jobKeys.fence(this.#tag, jobId),
      jobKeys.payload(this.#tag, jobId),
      jobKeys.owners(this.#tag, jobId),
    ]);
    const args = commits.flatMap(({ jobId, fence, record, ttlSeconds }) => [
      fence,
      encode(record),
      ttlSeconds,
      jobId,
    ]);
    const channel = endedChannel(this.#tag);
    const all = [...keys, channel, ENDED_FENCE_TTL_SECONDS, ...args];
    return await waitOut(() => this.#redis.rankmillCommit(keys.length, ...all));
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
    const subscriber = duplicateClient(this.#redis);
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
