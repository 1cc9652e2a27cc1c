import {
  modelRunsKey,
  OLD_RUNS_KEY,
  openRunsKey,
  OWNABLE_RUNS_KEY,
  runKeys,
  RUNS_KEY,
  tenantKeys,
} from "./keys.js";
import { runInfoOf, type RunInfo } from "./run-info.js";
import type { RedisClient } from "./redis-client.js";

/** Runs read at once. */
const PAGE_RUNS = 100;
/** The oldest runs that are looked at whenever one is put in: those that expired leave the index. */
const PRUNED_RUNS = 4;

/** Some of the runs, and whether there are older ones. */
export interface RunPage {
  readonly runs: readonly (readonly [string, RunInfo])[];
  readonly hasMore: boolean;
}

/**
 * The runs by the time of their submission, and those of them that somebody must look after:
 * a model's workers those in Redis, runners those in a spool. A run that is over is in the first alone,
 * and costs nothing.
 *
 * The index lies in other slots of a cluster than the runs do, and follows them: whoever finds a run
 * in it that no longer belongs there puts it right.
 */
export class RunIndex {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Puts a run where its state says that it belongs; after every change of that. */
  async put(run: string, info: RunInfo): Promise<void> {
    const { tag } = info;
    await this.#redis.zadd(RUNS_KEY, timeOf(info), run);
    if (info.keyId !== "") await this.#putToKey(run, info);
    await this.#prune();
    const belongs = placeOf(info);
    for (const key of [openRunsKey(tag), OWNABLE_RUNS_KEY]) {
      if (key === belongs) await this.#redis.sadd(key, run);
      else await this.#redis.srem(key, run);
    }
  }

  async remove(run: string, { tag, keyId }: Pick<RunInfo, "tag" | "keyId">): Promise<void> {
    await this.#redis.zrem(RUNS_KEY, run);
    if (keyId !== "") await this.#redis.zrem(tenantKeys.runs(keyId), run);
    await this.#redis.srem(openRunsKey(tag), run);
    await this.#redis.srem(OWNABLE_RUNS_KEY, run);
  }

  /** All runs, the newest first. */
  async *newest(): AsyncGenerator<[string, RunInfo], void, undefined> {
    await this.#adopt();
    let highest = "+inf";
    // Runs of that time which were given already.
    let given = 0;
    for (;;) {
      const limits = ["LIMIT", given, PAGE_RUNS] as const;
      const page = await this.#redis.zrevrangebyscore(
        RUNS_KEY,
        highest,
        "-inf",
        "WITHSCORES",
        ...limits,
      );
      if (page.length === 0) return;
      const runs = page.filter((_, i) => i % 2 === 0);
      const found = await this.#infos(runs);
      for (const [i, run] of runs.entries()) {
        const info = found.get(run);
        const score = page[i * 2 + 1] ?? highest;
        given = score === highest ? given + 1 : 1;
        highest = score;
        if (info === "expired") {
          await this.#redis.zrem(RUNS_KEY, run);
          given -= 1;
        } else if (info !== undefined) yield [run, info];
      }
    }
  }

  /**
   * Runs by their time, the newest first.
   *
   * @param keyId runs of this access key alone; undefined: all runs
   * @param after the run after which the page begins; undefined: the newest
   * @returns undefined if there is no such run `after`
   */
  async page(
    keyId: string | undefined,
    after: string | undefined,
    most: number,
  ): Promise<RunPage | undefined> {
    const key = keyId === undefined ? RUNS_KEY : tenantKeys.runs(keyId);
    let rank = 0;
    if (after !== undefined) {
      const found = await this.#redis.zrevrank(key, after);
      if (found === null) return undefined;
      rank = found + 1;
    }
    const runs: [string, RunInfo][] = [];
    while (runs.length <= most) {
      const ids = await this.#redis.zrevrange(key, rank, rank + PAGE_RUNS - 1);
      if (ids.length === 0) break;
      const found = await this.#infos(ids);
      for (const id of ids) {
        const info = found.get(id);
        if (info === "expired") await this.#redis.zrem(key, id);
        else rank += 1;
        if (info !== undefined && info !== "expired") runs.push([id, info]);
      }
    }
    return { runs: runs.slice(0, most), hasMore: runs.length > most };
  }

  /** Runs of an access key that are kept. */
  async countOf(keyId: string): Promise<number> {
    return await this.#redis.zcard(tenantKeys.runs(keyId));
  }

  /** The runs of a key are kept as long as the one of them that lives longest. */
  async #putToKey(run: string, info: RunInfo): Promise<void> {
    const key = tenantKeys.runs(info.keyId);
    await this.#redis.zadd(key, timeOf(info), run);
    for (const old of await this.#redis.zrange(key, 0, PRUNED_RUNS - 1)) {
      if ((await this.#redis.exists(runKeys.run(old))) === 0) await this.#redis.zrem(key, old);
    }
    const left = await this.#redis.ttl(key);
    if (left < info.ttlSeconds) await this.#redis.expire(key, info.ttlSeconds);
  }

  /** Runs of one model that lie in Redis and are not over: some worker must look after them. */
  async open(tag: string): Promise<Map<string, RunInfo>> {
    return await this.#members(openRunsKey(tag));
  }

  /** Runs in a spool that are at work: some runner must own them. */
  async ownable(): Promise<Map<string, RunInfo>> {
    return await this.#members(OWNABLE_RUNS_KEY);
  }

  async #members(key: string): Promise<Map<string, RunInfo>> {
    await this.#adopt();
    const runs = await this.#redis.smembers(key);
    const belonging = new Map<string, RunInfo>();
    for (const [run, info] of await this.#infos(runs)) {
      if (info !== "expired" && placeOf(info) === key) belonging.set(run, info);
      else await this.#takeOut(key, run);
    }
    return belonging;
  }

  /** A run may come back to the place before it is removed. */
  async #takeOut(key: string, run: string): Promise<void> {
    await this.#redis.srem(key, run);
    const info = runInfoOf(await this.#redis.hgetall(runKeys.run(run)));
    if (info !== undefined && placeOf(info) === key) await this.#redis.sadd(key, run);
  }

  /** @returns in order; runs whose hash cannot be read are left out */
  async #infos(runs: readonly string[]): Promise<Map<string, RunInfo | "expired">> {
    const found = new Map<string, RunInfo | "expired">();
    for (let at = 0; at < runs.length; at += PAGE_RUNS) {
      const some = runs.slice(at, at + PAGE_RUNS);
      const hashes = await Promise.all(some.map((run) => this.#redis.hgetall(runKeys.run(run))));
      for (const [i, run] of some.entries()) {
        const hash = hashes[i] ?? {};
        const info = Object.keys(hash).length === 0 ? "expired" : runInfoOf(hash);
        if (info !== undefined) found.set(run, info);
      }
    }
    return found;
  }

  async #prune(): Promise<void> {
    for (const run of await this.#redis.zrange(RUNS_KEY, 0, PRUNED_RUNS - 1)) {
      if ((await this.#redis.exists(runKeys.run(run))) === 0) await this.#redis.zrem(RUNS_KEY, run);
    }
  }

  /** Takes over what version 0.1.0 kept: plain sets of all runs, over or not. */
  async #adopt(): Promise<void> {
    if ((await this.#redis.exists(OLD_RUNS_KEY)) === 0) return;
    const tags = new Set<string>();
    for (const [run, info] of await this.#infos(await this.#redis.smembers(OLD_RUNS_KEY))) {
      if (info === "expired") continue;
      await this.put(run, info);
      tags.add(info.tag);
    }
    for (const tag of tags) await this.#redis.del(modelRunsKey(tag));
    await this.#redis.del(OLD_RUNS_KEY);
  }
}

/** The part of the index that a run belongs to beside that of all; undefined if nobody must act. */
function placeOf({ spooled, state, tag }: RunInfo): string | undefined {
  if (state !== "submitted") return undefined;
  return spooled === "yes" ? OWNABLE_RUNS_KEY : openRunsKey(tag);
}

function timeOf({ createdAt }: RunInfo): number {
  const time = Date.parse(createdAt);
  return Number.isNaN(time) ? 0 : time;
}
