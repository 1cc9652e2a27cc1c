/**
 * The score cache in Redis: who shares it, how much it may take, and how it goes on without memory or answers.
 * The suite of `score-caches.test.ts` holds what callers rely on.
 */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import { RedisScoreCache, type RedisScoreCacheOptions } from "../../src/redis/redis-score-cache.js";
import { scoreScope } from "../../src/redis/score-key.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";
import { given, realRedis } from "../support/needs.js";
import { answer, keep, numbered, range } from "./score-cache.suite.js";

const MIB = 1024 * 1024;
const SCOPE = scoreScope(["model", "int8"]);
const REST_MS = 20;
const CHUNK = 2_048;

let server: TestRedis;
let redis: Redis;
let tests = 0;
let tag: string;
let errors: unknown[];
const caches: RedisScoreCache[] = [];

async function open(more: Partial<RedisScoreCacheOptions> = {}): Promise<RedisScoreCache> {
  const cache = await RedisScoreCache.open(redis, {
    tag,
    scope: SCOPE,
    capacityBytes: MIB,
    onError: (error) => errors.push(error),
    restMs: REST_MS,
    ...more,
  });
  caches.push(cache);
  return cache;
}

async function keepIn(cache: RedisScoreCache, pairs: readonly EncodedPair[]): Promise<void> {
  await keep(cache, pairs, undefined, () => errors.join());
}

/** The memory that keys take, with all that is about them. */
async function usedBytes(): Promise<number> {
  const keys = await redis.keys("*");
  const each = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
  return each.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
}

describe.each(redisKinds)("a score cache on %s", (kind) => {
  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    redis = server.client();
  });
  afterAll(async () => {
    await server.close();
  });
  beforeEach(() => {
    tests += 1;
    tag = `scores-${tests}`;
    errors = [];
  });
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });

  it("is shared by workers whose scores are the same to the bit, and by no others", async () => {
    const [mine, equal] = [await open(), await open()];
    const other = await open({ scope: scoreScope(["model", "fp32"]) });
    await keepIn(mine, range(0, 5));
    expect(await answer(equal, range(0, 5))).toEqual([0, 1, 2, 3, 4]);
    expect(await answer(other, range(0, 1))).toEqual([undefined]);
    const elsewhere = await open({ tag: `${tag}-other` });
    expect(await answer(elsewhere, range(0, 1))).toEqual([undefined]);
  });

  it("keeps no number that four bytes do not hold", async () => {
    const cache = await open();
    cache.write([numbered(1)], [0.1]);
    await until("it said so", () => errors.length > 0);
    expect(String(errors[0])).toContain("0.1 is no float32");
    expect(await answer(cache, [numbered(1)])).toEqual([undefined]);
  });

  it("forgets what was written or asked for longest ago, and never what came last", async () => {
    // One bucket: all pairs compete for it.
    const cache = await open({ capacityBytes: 1 });
    const { capacityPairs } = cache;
    const half = capacityPairs / 2;
    await keepIn(cache, range(0, half));
    await keepIn(cache, range(half, half - 10));
    const asked = await answer(cache, range(0, 10));
    expect(asked).not.toContain(undefined);
    // The older half goes, but for what was asked for.
    await keepIn(cache, range(2 * half, half));
    expect(await answer(cache, range(0, 10))).toEqual(asked);
    expect(await answer(cache, range(10, half - 10))).toEqual(
      Array.from({ length: half - 10 }, () => undefined),
    );
    expect(await answer(cache, range(2 * half, half))).not.toContain(undefined);
    expect((await redis.keys(`rankmill:{${tag}}:*`)).length).toBeLessThanOrEqual(2);
  });

  it("leaves every key with a time to live, and no probe", async () => {
    const cache = await open();
    await keepIn(cache, range(0, 50));
    const keys = await redis.keys(`rankmill:{${tag}}:*`);
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter((key) => key.includes("probe"))).toEqual([]);
    for (const key of keys) expect(await redis.ttl(key)).toBeGreaterThan(86_400);
  });
});

describe("a score cache on a real server", given(realRedis), () => {
  beforeEach(async () => {
    server = await TestRedis.start();
    redis = server.client();
    errors = [];
  });
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
    await server.close();
  });

  it.each([
    ["as it comes", 512],
    // Another encoding, several times larger.
    ["that keeps hashes as tables", 16],
  ])("never takes more of the server than it was given: %s", async (_how, listpackEntries) => {
    await redis.config("SET", "hash-max-listpack-entries", listpackEntries);
    const longTag = "ms-marco-minilm-l6-v2.0123456789ab.int8.v1";
    const cache = await open({ capacityBytes: MIB / 2, tag: longTag });
    const { capacityPairs } = cache;
    expect(capacityPairs).toBeGreaterThan(listpackEntries > 100 ? 22_000 : 4_000);
    let most = 0;
    for (let written = 0; written < capacityPairs; written += CHUNK) {
      await keepIn(cache, range(written, CHUNK));
      most = Math.max(most, await usedBytes());
    }
    expect(most).toBeLessThan(MIB / 2);
    // Newer generations are half full on average.
    expect(most).toBeGreaterThan(0.3 * MIB);
  });

  it("is not waited for if the server stands still", async () => {
    const cache = await open();
    await keepIn(cache, range(0, 3));
    errors = [];
    await redis.client("PAUSE", 3_600_000, "ALL");
    expect(await cache.read(range(0, 3))).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(await cache.read(range(0, 3))).toBeUndefined();
  });

  it("still tells what it knows if the server has no memory left", async () => {
    const cache = await open({ capacityBytes: 1 });
    const half = cache.capacityPairs / 2;
    await keepIn(cache, range(0, half + 1));
    await redis.config("SET", "maxmemory", "1");
    // The key is of the older generation: it cannot be moved to the newer one.
    expect(await answer(cache, range(0, 2))).toEqual([0, 1]);
    cache.write(range(1_000, 1), [1]);
    await until("it said so", () => errors.length > 0);
    expect(String(errors[0])).toContain("OOM");
  });
});
