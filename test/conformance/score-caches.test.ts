import { afterAll, beforeAll, describe } from "vitest";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { RedisScoreCache } from "../../src/redis/redis-score-cache.js";
import { scoreScope } from "../../src/redis/score-key.js";
import { MemoryScoreCache } from "../support/fakes/memory-score-cache.js";
import { redisPlaces, startPlace, type TestCluster } from "../support/redis-cluster.js";
import type { TestRedis } from "../support/redis-server.js";
import { testScoreCache } from "./score-cache.suite.js";

const CAPACITY_BYTES = 1024 * 1024;
/** Short: the tests wait for it. */
const REST_MS = 20;

describe.each(redisPlaces)("on %s", (kind) => {
  let server: TestRedis | TestCluster;
  let redis: RedisClient;
  let places = 0;

  beforeAll(async () => {
    server = await startPlace(kind);
    redis = await server.client();
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
