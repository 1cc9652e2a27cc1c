import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FileIndex, type StoredFile } from "../../src/redis/file-index.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const HOUR_MS = 3_600_000;

function file(id: string, bytes: number, forMs = HOUR_MS): StoredFile {
  const createdAtMs = Date.now();
  const expiresAtMs = createdAtMs + forMs;
  return { id, filename: `${id}.jsonl`, purpose: "batch", bytes, createdAtMs, expiresAtMs };
}

describe.each(redisKinds)("the index of uploads on %s", (kind) => {
  let server: TestRedis;
  let index: FileIndex;

  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    index = new FileIndex(server.client());
  });

  beforeEach(async () => {
    await server.client().flushall();
  });

  afterAll(async () => {
    await server.close();
  });

  it("holds the files of a key to its quota, those under way among them", async () => {
    expect(await index.reserve("a", "file-1", 60, 100)).toEqual({ status: "reserved" });
    expect(await index.reserve("a", "file-2", 60, 100)).toEqual({ status: "full", takenBytes: 60 });
    expect(await index.reserve("b", "file-2", 60, 100)).toEqual({ status: "reserved" });
    // It was smaller than it might have been.
    await index.put("a", file("file-1", 10));
    expect(await index.reserve("a", "file-2", 90, 100)).toEqual({ status: "reserved" });
    await index.remove("a", "file-1");
    expect(await index.reserve("a", "file-3", 11, 100)).toEqual({ status: "full", takenBytes: 90 });
    expect(await index.reserve("a", "file-3", 10, 100)).toEqual({ status: "reserved" });
  });

  it("lets uploads that come together take the quota once", async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `file-${i}`);
    const all = await Promise.all(ids.map((id) => index.reserve("a", id, 30, 100)));
    expect(all.filter(({ status }) => status === "reserved")).toHaveLength(3);
  });

  it("gives files of their key alone, the newest first, until they expire", async () => {
    await index.put("a", file("file-1", 1));
    await index.put("a", { ...file("file-2", 1), createdAtMs: Date.now() + 1_000 });
    await index.put("b", file("file-3", 1));
    expect((await index.list("a")).map(({ id }) => id)).toEqual(["file-2", "file-1"]);
    expect(await index.find("b", "file-1")).toBeUndefined();
    await index.put("a", file("file-4", 70, 40));
    await until("it is gone", async () => (await index.find("a", "file-4")) === undefined);
    expect((await index.list("a")).map(({ id }) => id)).toEqual(["file-2", "file-1"]);
    expect(await index.reserve("a", "file-5", 98, 100)).toEqual({ status: "reserved" });
  });

  it("leaves no key behind that lives for ever", async () => {
    const redis = server.client();
    await index.put("a", file("file-1", 1));
    const keys = await redis.keys("*");
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });
});
