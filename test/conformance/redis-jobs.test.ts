/**
 * The keys of jobs in Redis, on every Redis that rankmill runs on: how long they live, what others may
 * have written there, and what is left. The suites of `jobs.test.ts` hold what callers rely on.
 */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { JobEnd } from "../../src/core/job.js";
import { bullJobKey, jobKeys } from "../../src/redis/keys.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { fenceOf, idsOf, jobOf, TTL_SECONDS } from "./job-place.js";

const DONE: JobEnd = { status: "done", line: "{}" };
const FAILED: JobEnd = { status: "failed", code: "limit_exceeded", message: "too much: 9 > 5" };
/** Jobs of a queue that is swept: on the real server more than one script takes out. */
const SWEPT_JOBS = { "redis-server": 510, "js-redis-server": 110 } as const;

let server: TestRedis;
let redis: Redis;
let tag: string;
let tests = 0;
let store: RedisResultStore;
let queue: RedisJobQueue;

describe.each(redisKinds)("jobs on %s", (kind) => {
  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    redis = server.client();
  });

  afterAll(async () => {
    await server.close();
  });

  beforeEach(async () => {
    tests += 1;
    tag = `test-${tests}`;
    store = new RedisResultStore(redis, tag);
    queue = new RedisJobQueue(redis, tag, DEFAULT_LIMITS.maxJobBytes);
    for (const jobId of ["a", "b", "c"]) {
      await redis.set(jobKeys.owners(tag, jobId), "someone", "EX", 100_000);
    }
  });

  afterEach(async () => {
    await queue.close();
  });

  it("keep result, fence and owners no longer than they mean something", async () => {
    const fence = fenceOf(await store.begin("a"));
    expect(await redis.ttl(jobKeys.fence(tag, "a"))).toBeGreaterThan(86_400);
    await store.commit("a", fence, DONE, TTL_SECONDS);
    for (const key of [jobKeys.result, jobKeys.fence, jobKeys.owners]) {
      const left = await redis.ttl(key(tag, "a"));
      expect(left).toBeGreaterThan(TTL_SECONDS - 60);
      expect(left).toBeLessThanOrEqual(TTL_SECONDS);
    }
    await store.commit("b", fenceOf(await store.begin("b")), DONE, 1);
    // Several times a lock's time, so that attempts are counted.
    expect(await redis.ttl(jobKeys.fence(tag, "b"))).toBeGreaterThan(100);
    expect(await redis.ttl(jobKeys.owners(tag, "b"))).toBeLessThanOrEqual(1);
  });

  it("shut out a worker that was frozen for longer than its fence lived", async () => {
    const frozen = fenceOf(await store.begin("a"));
    await redis.del(jobKeys.fence(tag, "a"));
    expect(await store.commit("a", frozen, FAILED, TTL_SECONDS)).toBe(false);
    const next = fenceOf(await store.begin("a"));
    expect(next).toBeGreaterThan(frozen);
    expect(await store.commit("a", frozen, FAILED, TTL_SECONDS)).toBe(false);
    expect(await store.commit("a", next, DONE, TTL_SECONDS)).toBe(true);
    await redis.del(jobKeys.result(tag, "a"), jobKeys.fence(tag, "a"));
    expect(await store.commit("a", frozen, FAILED, TTL_SECONDS)).toBe(false);
    expect(await store.read(["a"])).toEqual([undefined]);
  });

  it("fail alone if somebody else wrote their keys, beside others in the same script", async () => {
    await redis.hset(jobKeys.result(tag, "a"), "x", "1");
    await redis.set(jobKeys.fence(tag, "b"), "garbage");
    const [a, b, c] = await Promise.allSettled(["a", "b", "c"].map((id) => store.begin(id)));
    expect(a).toMatchObject({ status: "rejected", reason: { code: "damaged" } });
    expect(b).toMatchObject({ value: { status: "begun", attempts: 1 } });
    expect(c).toMatchObject({ value: { status: "begun" } });
    const fenceOfC = c?.status === "fulfilled" ? fenceOf(c.value) : 0;
    const fenceOfB = b?.status === "fulfilled" ? fenceOf(b.value) : 0;
    const ends = await Promise.allSettled([
      store.commit("b", fenceOfB, DONE, 0),
      store.commit("c", fenceOfC, DONE, TTL_SECONDS),
    ]);
    expect(ends).toMatchObject([
      { status: "rejected", reason: { code: "damaged" } },
      { status: "fulfilled", value: true },
    ]);
    expect(await store.read(["c"])).toEqual([DONE]);
  });

  it("tell nobody of the jobs of another model that have ended", async () => {
    const heard: string[] = [];
    const stop = await store.onEnded((jobId) => heard.push(jobId));
    const other = new RedisResultStore(redis, `${tag}-other`);
    await redis.set(jobKeys.owners(`${tag}-other`, "x"), "someone", "EX", 100_000);
    await other.commit("x", fenceOf(await other.begin("x")), DONE, TTL_SECONDS);
    await store.commit("a", fenceOf(await store.begin("a")), DONE, TTL_SECONDS);
    await expect.poll(() => heard).toEqual(["a"]);
    await stop();
  });

  it("are joined if they have failed and still stand in the queue: whoever takes one finds its end", async () => {
    const job = jobOf("a");
    await queue.enqueue([job], "one");
    await store.commit(job.jobId, fenceOf(await store.begin(job.jobId)), FAILED, TTL_SECONDS);
    expect(await queue.enqueue([job], "two")).toEqual(["joined"]);
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, failed: 0 });
  });

  it("leave no key behind when the last who waited has gone", async () => {
    const job = jobOf("a", { large: true });
    await queue.enqueue([job], "one");
    expect(await redis.ttl(jobKeys.payload(tag, job.jobId))).toBeGreaterThan(0);
    await store.commit(job.jobId, fenceOf(await store.begin(job.jobId)), DONE, TTL_SECONDS);
    await queue.release([job.jobId], "one");
    const keys = Object.values(jobKeys).map((key) => key(tag, job.jobId));
    expect(await redis.exists(...keys)).toBe(0);
  });

  it("have no payload read that is far larger than they say, as Redis has it", async () => {
    const large = jobOf("a", { large: true });
    await queue.enqueue([large], "one");
    await redis.set(jobKeys.payload(tag, large.jobId), "x".repeat(200_000));
    await expect(queue.read(large.jobId, 1_000)).rejects.toThrow("200000 bytes");
  });

  it("stay in their order when those are taken out that nobody waits for, and these leave no key", async () => {
    const jobs = Array.from({ length: SWEPT_JOBS[kind] }, (_, i) => jobOf(`many-${i}`));
    await queue.enqueue(jobs, "one");
    const wanted = jobs.filter((_, i) => i % 100 === 0);
    await queue.enqueue(wanted, "two");
    const wait = bullJobKey(tag, "bulk", "wait");
    const before = await redis.lrange(wait, 0, -1);
    await queue.release(idsOf(jobs), "one");
    await queue.dropUnwanted();
    const ids = new Set(idsOf(wanted));
    expect(await redis.lrange(wait, 0, -1)).toEqual(before.filter((id) => ids.has(id)));
    const left = (await redis.keys(`rankmill:{${tag}}-bulk:r*`)).length;
    expect(left).toBe(wanted.length);
  });
});
