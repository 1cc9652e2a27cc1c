import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Result } from "ioredis";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { runKeys } from "./keys.js";
import { emptyCounts, type RunCounts } from "../core/run-counts.js";
import { SPEED_WINDOW_MS, type SpeedSample } from "../core/run-speed.js";
import { damaged, parseStored, tryStored } from "../core/stored-json.js";
import { option, wording } from "../core/wording.js";
import { checkRunId, hashOfRunInfo, runInfoOf, type RunEntry, type RunInfo } from "./run-info.js";
import { cutLongLease } from "./lease.js";
import { RunHistory } from "./run-history.js";
import { RunIndex } from "./run-index.js";
import {
  runCountsSchema,
  runEntrySchema,
  runProgressSchema,
  speedSampleSchema,
} from "./run-schemas.js";
import { waitOut } from "./wait-out.js";
import type { RedisClient } from "./redis-client.js";
import { serverTimeMs } from "./server-time.js";

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);
const GZIP_LEVEL = 3;
/** Samples outlive the window over which speed is measured, and no more. */
const SAMPLES_TTL_MS = 2 * SPEED_WINDOW_MS;
/** However many look at a run at once. */
const MAX_SAMPLES = 64;

/** The progress of the owner of a spooled run. */
export interface RunProgress {
  readonly total: number;
  readonly counts: Readonly<RunCounts>;
  /** Records whose jobs are in workers' hands. */
  readonly active: number;
}

/** Keys deleted in one go. */
const REMOVED_KEYS = 500;

/**
 * KEYS: run. ARGV: hash of the input, time to live in seconds.
 * Returns the hash of the input that the run has: the given one if the run is new.
 */
const BIND_INPUT = `
if redis.call("HSETNX", KEYS[1], "inputHash", ARGV[1]) == 1 then
  if redis.call("TTL", KEYS[1]) == -1 then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
end
return redis.call("HGET", KEYS[1], "inputHash")
`;

/** KEYS: run. ARGV: fields and values. Returns 1 if the run was there and was changed. */
const UPDATE = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], unpack(ARGV))
return 1
`;

/** KEYS: run, its closed chunks. Returns 1 if the run was submitted, is over, and was changed. */
const COMPLETE = `
if redis.call("HGET", KEYS[1], "state") ~= "submitted" then return 0 end
if redis.call("HLEN", KEYS[2]) < tonumber(redis.call("HGET", KEYS[1], "chunks")) then return 0 end
redis.call("HSET", KEYS[1], "state", "complete")
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillBindInput(run: string, inputHash: string, ttlSeconds: number): Result<string, Context>;
    rankmillCompleteRun(run: string, closed: string): Result<number, Context>;
    rankmillUpdateRun(run: string, ...fields: string[]): Result<number, Context>;
  }
}

/**
 * Submitted runs in Redis: what was asked, in chunks of lines in their order, and which chunks are
 * over. The end of each job stands in the result store alone, so that nothing is written twice
 * and nothing can disagree.
 */
export class RunStore {
  /** The runs, and those of them that somebody must look after. */
  readonly index: RunIndex;
  /** The course of each run. */
  readonly history: RunHistory;
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.index = new RunIndex(redis);
    this.history = new RunHistory(redis);
    redis.defineCommand("rankmillCompleteRun", { numberOfKeys: 2, lua: COMPLETE });
    redis.defineCommand("rankmillBindInput", { numberOfKeys: 1, lua: BIND_INPUT });
    redis.defineCommand("rankmillUpdateRun", { numberOfKeys: 1, lua: UPDATE });
  }

  /** Writes the run's record; its fields replace those of an earlier submission of the same run. */
  async save(run: string, info: RunInfo): Promise<void> {
    await this.#redis
      .multi()
      .hset(runKeys.run(run), hashOfRunInfo(info))
      .expire(runKeys.run(run), info.ttlSeconds)
      .exec();
    await this.index.put(run, info);
  }

  /**
   * Makes sure that a run's name means one input, also if two give it to different ones at once.
   *
   * @throws RankmillError `conflict` if the run has another input
   */
  async bindInput(run: string, inputHash: string, ttlSeconds: number): Promise<void> {
    const bind = () => this.#redis.rankmillBindInput(runKeys.run(run), inputHash, ttlSeconds);
    const has = await waitOut(bind);
    if (has === inputHash) return;
    throw new RankmillError(
      "conflict",
      wording`${option("runId")} ${run}: is a run over another input; choose another name, or purge that run`,
      { field: "runId", context: { run } },
    );
  }

  /** Changes fields of a run that is there. */
  async update(run: string, fields: Partial<RunInfo>): Promise<void> {
    // One that was purged meanwhile must not come back as half a record that lives for ever.
    const changed = await this.#redis.rankmillUpdateRun(
      runKeys.run(run),
      ...Object.entries(fields).flat().map(String),
    );
    if (changed === 0 || fields.state === undefined) return;
    if (fields.state === "submitted") await this.history.reopen(run);
    const info = await this.find(run);
    if (info !== undefined) await this.index.put(run, info);
  }

  /**
   * Marks a submitted run whose chunks are all closed as complete, so that nobody looks after it any
   * more.
   */
  async complete(run: string): Promise<void> {
    const completed = await this.#redis.rankmillCompleteRun(runKeys.run(run), runKeys.closed(run));
    if (completed === 0) return;
    const info = await this.find(run);
    if (info !== undefined) await this.index.put(run, info);
  }

  /** Deletes all that there is of a run but its jobs. */
  async remove(run: string, info: RunInfo): Promise<void> {
    const { chunk, ...others } = runKeys;
    // A submission that died has written one chunk more than it counted.
    const chunks = Array.from({ length: info.chunks + 1 }, (_, i) => chunk(run, i));
    const keys = [...Object.values(others).map((key) => key(run)), ...chunks];
    for (let at = 0; at < keys.length; at += REMOVED_KEYS) {
      await this.#redis.unlink(...keys.slice(at, at + REMOVED_KEYS));
    }
    await this.index.remove(run, info);
  }

  /** @throws RankmillError `run_not_found` if there is no such run (any more) */
  async read(run: string): Promise<RunInfo> {
    const found = await this.find(checkRunId(run));
    if (found !== undefined) return found;
    throw new RankmillError(
      "run_not_found",
      `no run "${run}" in this Redis; "rankmill status" lists the runs`,
      { context: { run } },
    );
  }

  async find(run: string): Promise<RunInfo | undefined> {
    return runInfoOf(await this.#redis.hgetall(runKeys.run(run)));
  }

  async writeChunk(
    run: string,
    chunk: number,
    entries: readonly RunEntry[],
    ttlSeconds: number,
  ): Promise<void> {
    const packed = await gzipAsync(JSON.stringify(entries), { level: GZIP_LEVEL });
    await waitOut(() => this.#redis.set(runKeys.chunk(run, chunk), packed, "EX", ttlSeconds));
  }

  async readChunk(run: string, chunk: number): Promise<RunEntry[]> {
    const packed = await this.#redis.getBuffer(runKeys.chunk(run, chunk));
    if (packed === null) return [];
    const place = `chunk ${chunk} of run ${run} in Redis`;
    const text = await gunzipAsync(packed).catch((error: unknown) => {
      throw damaged(place, "it is not gzip", error);
    });
    return parseStored(z.array(runEntrySchema), text.toString("utf8"), place);
  }

  /** Counts of the chunks that are over, by number. */
  async closedChunks(run: string): Promise<Map<number, RunCounts>> {
    const closed = await this.#redis.hgetall(runKeys.closed(run));
    return new Map(
      Object.entries(closed).map(([chunk, counts]) => [
        Number(chunk),
        parseStored(runCountsSchema, counts, `the counts of run ${run} in Redis`),
      ]),
    );
  }

  /** Every job of the chunk has ended; writing the same counts twice changes nothing. */
  async closeChunk(
    run: string,
    chunk: number,
    counts: RunCounts,
    ttlSeconds: number,
  ): Promise<void> {
    await this.#redis.hset(runKeys.closed(run), String(chunk), JSON.stringify(counts));
    await this.#redis.expire(runKeys.closed(run), ttlSeconds);
  }

  async reopenChunk(run: string, chunk: number): Promise<void> {
    await this.#redis.hdel(runKeys.closed(run), String(chunk));
  }

  /** The figures of a spooled run, as its owner last knew them. */
  async saveProgress(run: string, progress: RunProgress, ttlSeconds: number): Promise<void> {
    await this.#redis.set(runKeys.progress(run), JSON.stringify(progress), "EX", ttlSeconds);
  }

  async readProgress(run: string): Promise<RunProgress> {
    const text = await this.#redis.get(runKeys.progress(run));
    if (text === null) return { total: 0, counts: emptyCounts(), active: 0 };
    return parseStored(runProgressSchema, text, `the progress of run ${run} in Redis`);
  }

  /** The owner of a spooled run, as its lease names them; undefined if there is none. */
  async owner(run: string): Promise<string | undefined> {
    return (await this.#redis.get(runKeys.owner(run))) ?? undefined;
  }

  /**
   * Remembers a run's figures at this moment.
   *
   * @param of what was counted: a part of the run gives lower figures
   * @returns those of the last minute, in order
   */
  async sample(
    run: string,
    counts: Readonly<RunCounts>,
    of: "all" | "part" = "all",
  ): Promise<SpeedSample[]> {
    const key = of === "all" ? runKeys.samples(run) : runKeys.partSamples(run);
    const atMs = await serverTimeMs(this.#redis, key);
    const { done, failed, pairs, tokens } = counts;
    const sample: SpeedSample = { atMs, ended: done + failed, pairs, tokens };
    await this.#redis
      .multi()
      .zadd(key, atMs, JSON.stringify(sample))
      .zremrangebyscore(key, 0, atMs - SAMPLES_TTL_MS)
      .zremrangebyrank(key, 0, -MAX_SAMPLES - 1)
      .pexpire(key, SAMPLES_TTL_MS)
      .exec();
    const texts = await this.#redis.zrange(key, 0, -1);
    return texts.flatMap((text) => tryStored(speedSampleSchema, text) ?? []);
  }

  /** Jobs of a spooled run that are in Redis. */
  async addJobs(run: string, jobIds: readonly string[], ttlSeconds: number): Promise<void> {
    if (jobIds.length === 0) return;
    const key = runKeys.jobs(run);
    await this.#redis
      .multi()
      .sadd(key, ...jobIds)
      .expire(key, ttlSeconds)
      .exec();
  }

  async dropJobs(run: string, jobIds: readonly string[]): Promise<void> {
    if (jobIds.length > 0) await this.#redis.srem(runKeys.jobs(run), ...jobIds);
  }

  async countJobs(run: string): Promise<number> {
    return await this.#redis.scard(runKeys.jobs(run));
  }

  /** Any `count` of the jobs at most. */
  async someJobs(run: string, count: number): Promise<string[]> {
    return await this.#redis.srandmember(runKeys.jobs(run), count);
  }

  /** @returns false if another holds the lease */
  async lease(run: string, holder: string, ms: number): Promise<boolean> {
    const key = runKeys.lease(run);
    if ((await this.#redis.set(key, holder, "PX", ms, "NX")) === "OK") return true;
    await cutLongLease(this.#redis, key, ms);
    return false;
  }

  /** Times `jobId` was found lost, this one included. */
  async countLost(run: string, jobId: string, ttlSeconds: number): Promise<number> {
    const times = await this.#redis.hincrby(runKeys.lost(run), jobId, 1);
    await this.#redis.expire(runKeys.lost(run), ttlSeconds);
    return times;
  }
}
