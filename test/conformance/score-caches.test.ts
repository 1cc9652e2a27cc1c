import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe } from "vitest";
import { RedisScoreCache } from "../../src/redis/redis-score-cache.js";
import { scoreScope } from "../../src/redis/score-key.js";
import { MemoryScoreCache } from "../support/fakes/memory-score-cache.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { testScoreCache } from "./score-cache.suite.js";

const CAPACITY_BYTES = 1024 * 1024;
/** Short: the tests wait for it. */
const REST_MS = 20;

describe.each(redisKinds)("on %s", (kind) => {
  let server: TestRedis;
  let redis: Redis;
  let places = 0;

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    redis = server.client();
  });

  afterAll(async () => {
    await server.close();
  });

  testScoreCache("of a model", async () => {
    places += 1;
    const cache = await RedisScoreCache.open(redis, {
      tag: `scores-${places}`,
      scope: scoreScope(["model", "int8"]),
      capacityBytes: CAPACITY_BYTES,
      onError: () => {},
      restMs: REST_MS,
    });
    return {
      cache,
      breakOff: async () => {
        await server.kill();
        return async () => await server.startAgain();
      },
      close: async () => await cache.close(),
    };
  });
});

testScoreCache("in memory", async () => {
  const cache = new MemoryScoreCache();
  return await Promise.resolve({
    cache,
    breakOff: async () => {
      cache.usable = false;
      return await Promise.resolve(async () => {
        cache.usable = true;
        await Promise.resolve();
      });
    },
    close: async () => await Promise.resolve(),
  });
});
