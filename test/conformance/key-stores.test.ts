import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AccessKey } from "../../src/core/access-key.js";
import { FileKeyStore } from "../../src/app/keys/file-key-store.js";
import { ACCESS_KEYS_KEY } from "../../src/redis/keys.js";
import { RedisKeyStore } from "../../src/redis/redis-key-store.js";
import { MemoryKeyStore } from "../support/fakes/memory-key-store.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { keyNamed, testKeyStore } from "./key-store.suite.js";

describe.each(redisKinds)("on %s", (kind) => {
  let server: TestRedis;

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
  });

  afterAll(async () => {
    await server.close();
  });

  testKeyStore("in Redis", async () => {
    const redis = server.client();
    return await Promise.resolve({
      store: new RedisKeyStore(redis),
      again: () => Promise.resolve(new RedisKeyStore(server.client())),
      close: async () => {
        await redis.flushall();
      },
    });
  });

  it("refuses a key in Redis that another program wrote", async () => {
    const redis = server.client();
    await redis.hset(ACCESS_KEYS_KEY, "odd", '{"id":"odd"}');
    await expect(new RedisKeyStore(redis).find("odd")).rejects.toMatchObject({ code: "damaged" });
    await redis.flushall();
  });
});

testKeyStore("in memory", async () => {
  const keys = new Map<string, AccessKey>();
  return await Promise.resolve({
    store: new MemoryKeyStore(keys),
    again: () => Promise.resolve(new MemoryKeyStore(keys)),
    close: () => Promise.resolve(),
  });
});

describe("a file of keys", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rankmill-keys-"));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  let places = 0;
  testKeyStore("in a file", async () => {
    places += 1;
    const path = join(folder, `keys-${places}.json`);
    return await Promise.resolve({
      store: new FileKeyStore(path),
      again: () => Promise.resolve(new FileKeyStore(path)),
      close: () => Promise.resolve(),
    });
  });

  it("lets nobody in while it is damaged", async () => {
    const path = join(folder, "damaged.json");
    const store = new FileKeyStore(path);
    await store.add(keyNamed("one"));
    expect(await store.find("one")).toBeDefined();
    await writeFile(path, '{"keys": [');
    await expect(store.find("one")).rejects.toMatchObject({ code: "damaged" });
  });

  it("that is missing is an error to those who ask for a key", async () => {
    const store = new FileKeyStore(join(folder, "missing.json"));
    await expect(store.find("one")).rejects.toMatchObject({ code: "place_unusable" });
  });
});
