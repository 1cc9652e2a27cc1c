/**
 * What every result store and job queue must do, on every Redis that rankmill runs on: the real one
 * and js-redis-server, which a machine with Node alone falls back to.
 */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { JobEnd, NewJob } from "../../src/core/job.js";
import { bullJobKey, jobKeys } from "../../src/redis/keys.js";
import type { Started } from "../../src/core/ports/result-store.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { redisKinds, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const DONE: JobEnd = { status: "done", line: '{"id":"é \\ud800","results":[]}' };
const FAILED: JobEnd = { status: "failed", code: "limit_exceeded", message: "too much: 9 > 5" };
const TTL_SECONDS = 1_000;

let server: TestRedis;
let redis: Redis;
let tag: string;
let tests = 0;

function fenceOf(started: Started): number {
  if (started.status !== "begun") throw new Error("the job has ended");
  return started.fence;
}

function job(id: string, options: { maxLength?: number; large?: boolean } = {}): NewJob {
  const documents = [{ text: options.large === true ? "x".repeat(40_000) : "d" }];
  return makeJob(
    { id, query: "q", documents },
    { maxLength: options.maxLength ?? 128, truncation: "only-second" },
    { priority: "bulk", ttlSeconds: TTL_SECONDS },
  );
}

describe.each(redisKinds)("on %s", (kind) => {
  beforeAll(async () => {
    server = await TestRedis.start({ kind });
    redis = server.client();
  });

  afterAll(async () => {
    await server.close();
  });

  beforeEach(() => {
    tests += 1;
    tag = `test-${tests}`;
  });

  describe("a result store", () => {
    let store: RedisResultStore;

    beforeEach(async () => {
      store = new RedisResultStore(redis, tag);
      for (const jobId of ["a", "b", "c", "d"]) {
        await redis.set(jobKeys.owners(tag, jobId), "someone", "EX", 100_000);
      }
      await redis.set(jobKeys.owners(`${tag}-other`, "x"), "someone", "EX", 100_000);
    });

    it("gives back what was committed, in the order asked for", async () => {
      for (const [jobId, record] of [
        ["a", DONE],
        ["b", FAILED],
      ] as const) {
        const fence = fenceOf(await store.begin(jobId));
        expect(await store.commit(jobId, fence, record, TTL_SECONDS)).toBe(true);
      }
      expect(await store.read(["b", "none", "a"])).toEqual([FAILED, undefined, DONE]);
      expect(await store.read([])).toEqual([]);
    });

    it("draws a larger fence for every attempt, and counts those at one job", async () => {
      const started = [await store.begin("a"), await store.begin("b"), await store.begin("a")];
      expect(started).toMatchObject([{ attempts: 1 }, { attempts: 1 }, { attempts: 2 }]);
      const fences = started.map(fenceOf);
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
    });

    it("lets no attempt write after a newer one has begun", async () => {
      const old = fenceOf(await store.begin("a"));
      const fresh = fenceOf(await store.begin("a"));
      expect(await store.commit("a", old, FAILED, TTL_SECONDS)).toBe(false);
      expect(await store.read(["a"])).toEqual([undefined]);
      expect(await store.commit("a", fresh, DONE, TTL_SECONDS)).toBe(true);
      expect(await store.commit("a", old, FAILED, TTL_SECONDS)).toBe(false);
      expect(await store.read(["a"])).toEqual([DONE]);
    });

    it("lets nobody write who never began", async () => {
      expect(await store.commit("a", 1, DONE, TTL_SECONDS)).toBe(false);
      expect(await store.read(["a"])).toEqual([undefined]);
    });

    it("begins nothing that has ended, and says how it ended", async () => {
      const fence = fenceOf(await store.begin("a"));
      await store.commit("a", fence, DONE, TTL_SECONDS);
      expect(await store.begin("a")).toEqual({ status: "ended", record: DONE });
      // Writing again under the same fence changes nothing for anyone.
      expect(await store.commit("a", fence, DONE, TTL_SECONDS)).toBe(true);
    });

    it("keeps record, fence and owners of a job that ended no longer than they mean something", async () => {
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

    it("shuts out a worker that was frozen for longer than its fence lived", async () => {
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

    it("begins nothing that nobody waits for", async () => {
      await redis.del(jobKeys.owners(tag, "a"));
      const [a, b] = await Promise.all([store.begin("a"), store.begin("b")]);
      expect([a.status, b.status]).toEqual(["unwanted", "begun"]);
      expect(await redis.exists(jobKeys.fence(tag, "a"))).toBe(0);
    });

    it("fails a job alone whose keys somebody else wrote, beside others in the same script", async () => {
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

    it("counts accusations of a pair until it is absolved", async () => {
      await store.begin("a");
      expect([await store.accuse("a", 3), await store.accuse("a", 3)]).toEqual([1, 2]);
      expect(await store.accuse("a", 4)).toBe(1);
      await store.absolve("a", 3);
      expect([await store.accuse("a", 3), await store.accuse("a", 4)]).toEqual([1, 2]);
      // The count of attempts is another matter.
      expect(await store.begin("a")).toMatchObject({ attempts: 2 });
    });

    it("tells whoever listens of every job that ends, and of none after they stop", async () => {
      const heard: string[] = [];
      const stop = await store.onEnded((jobId) => heard.push(jobId));
      const other = new RedisResultStore(redis, `${tag}-other`);
      await other.commit("x", fenceOf(await other.begin("x")), DONE, TTL_SECONDS);
      await store.commit("a", fenceOf(await store.begin("a")), DONE, TTL_SECONDS);
      await store.commit("b", fenceOf(await store.begin("b")), FAILED, TTL_SECONDS);
      await until("both are heard", () => heard.length >= 2);
      await stop();
      await store.commit("c", fenceOf(await store.begin("c")), DONE, TTL_SECONDS);
      const again: string[] = [];
      const stopAgain = await store.onEnded((jobId) => again.push(jobId));
      await store.commit("d", fenceOf(await store.begin("d")), DONE, TTL_SECONDS);
      await until("the other listener hears", () => again.length > 0);
      await stopAgain();
      expect(heard).toEqual(["a", "b"]);
      expect(again).toEqual(["d"]);
    });
  });

  describe("a job queue beside it", () => {
    let store: RedisResultStore;
    let queue: RedisJobQueue;

    beforeEach(() => {
      store = new RedisResultStore(redis, tag);
      queue = new RedisJobQueue(redis, tag, DEFAULT_LIMITS.maxJobBytes);
    });

    async function end(jobId: string, record: JobEnd): Promise<void> {
      await store.commit(jobId, fenceOf(await store.begin(jobId)), record, TTL_SECONDS);
    }

    it("queues a job once, joins it while it is under way, and knows when it is done", async () => {
      const [a, b] = [job("a"), job("b")];
      expect(await queue.enqueue([a, b], "one")).toEqual(["queued", "queued"]);
      expect(await queue.enqueue([a], "two")).toEqual(["joined"]);
      expect(await queue.counts()).toMatchObject({ waiting: 2, active: 0, failed: 0 });
      expect(await queue.states([b.jobId, "none", a.jobId])).toEqual([
        "queued",
        "missing",
        "queued",
      ]);
      await end(a.jobId, DONE);
      expect(await queue.enqueue([a], "three")).toEqual(["done"]);
      await end(b.jobId, FAILED);
      // Still in the queue: whoever takes it finds the record.
      expect(await queue.enqueue([b], "three")).toEqual(["joined"]);
      await queue.close();
    });

    it("makes one id of one request under the same options, and another under others", () => {
      expect(job("a").jobId).toBe(job("a").jobId);
      expect(job("a").jobId).not.toBe(job("b").jobId);
      expect(job("a").jobId).not.toBe(job("a", { maxLength: 64 }).jobId);
      expect(job("a").jobId).toMatch(/^r[0-9a-f]{40}$/);
    });

    it("lets the last owner to go take the job's keys along, and no one before", async () => {
      const a = job("a", { large: true });
      await queue.enqueue([a], "one");
      await queue.enqueue([a], "two");
      await end(a.jobId, DONE);
      await queue.release([a.jobId], "one");
      await queue.release([a.jobId], "a stranger");
      expect(await store.read([a.jobId])).toEqual([DONE]);
      await queue.release([a.jobId], "two");
      expect(await store.read([a.jobId])).toEqual([undefined]);
      expect(await redis.exists(...Object.values(jobKeys).map((key) => key(tag, a.jobId)))).toBe(0);
      await queue.close();
    });

    it("tells owners apart whose names hold line breaks, as an output's path may", async () => {
      const a = job("a");
      const [whole, line] = ["output:host:/data/two\nlines", "lines"];
      await queue.enqueue([a], whole);
      await end(a.jobId, DONE);
      await queue.release([a.jobId], line);
      expect(await store.read([a.jobId])).toEqual([DONE]);
      await queue.enqueue([a], line);
      await queue.release([a.jobId], whole);
      expect(await store.read([a.jobId])).toEqual([DONE]);
      await queue.release([a.jobId], line);
      expect(await store.read([a.jobId])).toEqual([undefined]);
      await queue.close();
    });

    it("shuts out an attempt at a job that was released meanwhile", async () => {
      const a = job("a");
      await queue.enqueue([a], "one");
      const fence = fenceOf(await store.begin(a.jobId));
      await queue.cancel([a.jobId], "one");
      expect(await queue.states([a.jobId])).toEqual(["missing"]);
      expect(await store.commit(a.jobId, fence, DONE, TTL_SECONDS)).toBe(false);
      expect(await queue.enqueue([a], "two")).toEqual(["queued"]);
      expect(fenceOf(await store.begin(a.jobId))).toBeGreaterThan(fence);
      expect(await store.commit(a.jobId, fence, DONE, TTL_SECONDS)).toBe(false);
      await queue.close();
    });

    it("begins nothing that only refused owners wait for, until they are admitted again", async () => {
      const [a, b] = [job("a"), job("b")];
      await queue.enqueue([a, b], "one");
      await queue.enqueue([b], "two");
      await queue.blockOwner("one");
      expect(await store.begin(a.jobId)).toEqual({ status: "unwanted" });
      // The other one is wanted, and both were asked for in one go.
      const [unwanted, wanted] = await Promise.all([store.begin(a.jobId), store.begin(b.jobId)]);
      expect(unwanted).toEqual({ status: "unwanted" });
      expect(await store.commit(b.jobId, fenceOf(wanted), DONE, TTL_SECONDS)).toBe(true);
      await queue.unblockOwner("one");
      expect(await store.begin(a.jobId)).toMatchObject({ status: "begun", attempts: 1 });
      await queue.close();
    });

    it("leaves to others what they still wait for when one cancels", async () => {
      const a = job("a");
      await queue.enqueue([a], "one");
      await queue.enqueue([a], "two");
      await queue.cancel([a.jobId], "one");
      expect(await queue.states([a.jobId])).toEqual(["queued"]);
      await queue.close();
    });

    it("keeps a large payload beside the job until its record is written", async () => {
      const [small, large] = [job("a"), job("b", { large: true })];
      expect(small.payload).toBeUndefined();
      expect(large.envelope.request).toBeUndefined();
      await queue.enqueue([small, large], "one");
      expect(await queue.read(small.jobId, 100_000)).toBeUndefined();
      expect(await queue.read(large.jobId, 100_000)).toBe(large.payload);
      expect(await redis.ttl(jobKeys.payload(tag, large.jobId))).toBeGreaterThan(0);
      await end(large.jobId, DONE);
      expect(await queue.read(large.jobId, 100_000)).toBeUndefined();
      await queue.close();
    });

    it("reads no more of a payload than its job says that there is", async () => {
      const large = job("a", { large: true });
      await queue.enqueue([large], "one");
      expect(await queue.read(large.jobId, large.envelope.bytes)).toBe(large.payload);
      await expect(queue.read(large.jobId, 1_000)).rejects.toMatchObject({ code: "damaged" });
      await redis.set(jobKeys.payload(tag, large.jobId), "x".repeat(200_000));
      await expect(queue.read(large.jobId, 1_000)).rejects.toThrow("200000 bytes");
      await queue.close();
    });

    it("takes all jobs out at once that nobody waits for, and leaves the others in their order", async () => {
      const jobs = Array.from({ length: 1_300 }, (_, i) => job(`many-${i}`));
      await queue.enqueue(jobs, "one");
      const wanted = jobs.filter((_, i) => i % 100 === 0);
      await queue.enqueue(wanted, "two");
      const wait = bullJobKey(tag, "bulk", "wait");
      const before = await redis.lrange(wait, 0, -1);
      await queue.release(
        jobs.map(({ jobId }) => jobId),
        "one",
      );
      await queue.dropUnwanted();
      const ids = new Set(wanted.map(({ jobId }) => jobId));
      expect(await redis.lrange(wait, 0, -1)).toEqual(before.filter((id) => ids.has(id)));
      const left = (await redis.keys(`rankmill:{${tag}}-bulk:r*`)).length;
      expect(left).toBe(wanted.length);
      await queue.close();
    });

    it("makes no job whose result Redis could not keep", () => {
      const request = { id: "a", query: "q", documents: [{ text: "d" }] };
      for (const ttlSeconds of [0, -1, 1.5, Number.NaN, 1e12]) {
        const settings = { priority: "bulk", ttlSeconds } as const;
        const make = (): NewJob =>
          makeJob(request, { maxLength: 9, truncation: "only-second" }, settings);
        expect(make).toThrow("resultTtlSeconds");
      }
    });

    it("enqueues more than a chunk at once", async () => {
      const jobs = Array.from({ length: 260 }, (_, i) => job(`many-${i}`));
      const outcomes = await queue.enqueue(jobs, "one");
      expect(outcomes).toHaveLength(260);
      expect(new Set(outcomes)).toEqual(new Set(["queued"]));
      expect((await queue.counts()).waiting).toBe(260);
      await queue.close();
    });
  });
});
