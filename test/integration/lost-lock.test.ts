/**
 * A worker that stood still for longer than a lock lasts: its job is handed out again, to another or to itself.
 * A lock that is deleted stands for one that ran out.
 */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, describe } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { RankmillError } from "../../src/core/errors.js";
import type { JobSummary, TakenJob } from "../../src/core/job.js";
import { Consumer, type ConsumerEvent } from "../../src/redis/consumer.js";
import { bullJobKey, KEY_PREFIX, queueName } from "../../src/redis/keys.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const TAG = "lost";
const LOCK_MS = 2_000;
const STALLED_MS = 100;
const SUMMARY: JobSummary = { pairs: 1, tokens: 1, truncated: 0, failedPairs: 0 };

/** An attempt at a job, which ends when the test says so, even if it is aborted. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

let server: TestRedis;
let redis: Redis;
let queue: RedisJobQueue;
let consumer: Consumer;
let attempts: Attempt[];
let events: ConsumerEvent[];
let jobs = 0;

async function hold(_job: TakenJob, signal: AbortSignal): Promise<JobSummary> {
  await new Promise<void>((resolve) => attempts.push({ signal, end: resolve }));
  if (signal.aborted) throw new RankmillError("cancelled", "the attempt was cancelled");
  return SUMMARY;
}

async function attempt(index: number): Promise<Attempt> {
  return await until(`there is attempt ${index + 1}`, () => attempts[index]);
}

async function enqueue(): Promise<{ readonly jobId: string; readonly lock: string }> {
  jobs += 1;
  const job = makeJob(
    { id: `job-${jobs}`, query: "q", documents: [{ text: "d" }] },
    { maxLength: 128, truncation: "only-second" },
    { priority: "bulk" },
  );
  await queue.enqueue([job], "me");
  return { jobId: job.jobId, lock: `${bullJobKey(TAG, "bulk", job.jobId)}:lock` };
}

/** Times that the lock was seen to last longer than before, until there is another attempt or there are enough. */
async function renewals(lock: string, enough: number): Promise<number> {
  const others = attempts.length;
  let seen = 0;
  let leftMs = await redis.pttl(lock);
  await until("the lock is renewed", async () => {
    const nowMs = await redis.pttl(lock);
    if (nowMs > leftMs) seen += 1;
    leftMs = nowMs;
    return seen >= enough || attempts.length > others;
  });
  return seen;
}

describe("a job whose lock ran out", () => {
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = server.client();
    queue = new RedisJobQueue(redis, TAG, DEFAULT_LIMITS.maxJobBytes);
  });

  afterAll(async () => {
    await queue.close();
    await server.close();
  });

  beforeEach(async () => {
    attempts = [];
    events = [];
    consumer = new Consumer(
      redis,
      {
        tag: TAG,
        priority: "bulk",
        concurrency: 2,
        lockDurationMs: LOCK_MS,
        stalledIntervalMs: STALLED_MS,
        onEvent: (event) => events.push(event),
      },
      hold,
    );
    await consumer.ready();
    consumer.start();
  });

  afterEach(async () => {
    for (const { end } of attempts) end();
    await consumer.close(0);
  });

  it("keeps its new lock when its earlier attempt ends in the same worker", async () => {
    const { jobId, lock } = await enqueue();
    const earlier = await attempt(0);
    await redis.del(lock);
    const later = await attempt(1);
    await until("the earlier attempt is given up", () => earlier.signal.aborted);
    earlier.end();
    expect(await renewals(lock, 3)).toBe(3);
    expect(later.signal.aborted).toBe(false);
    expect(consumer.held).toEqual([jobId]);
    later.end();
    await until("the job is done", () => events.some(({ type }) => type === "done"));
    expect(attempts).toHaveLength(2);
    expect(events.filter(({ type }) => type === "failed")).toEqual([]);
  });

  it("is no failed job if its attempt is given up, and is handed out until it is done", async () => {
    const { lock } = await enqueue();
    for (const index of [0, 1, 2, 3, 4, 5]) {
      const given = await attempt(index);
      await redis.del(lock);
      await until("the attempt is given up", () => given.signal.aborted);
      given.end();
    }
    (await attempt(6)).end();
    await until("the job is done", () => events.some(({ type }) => type === "done"));
    expect(events.filter(({ type }) => type === "lock-lost")).toHaveLength(6);
    expect(events.filter(({ type }) => type === "error")).toEqual([]);
    expect(await redis.zcard(`${KEY_PREFIX}:${queueName(TAG, "bulk")}:failed`)).toBe(0);
    expect(events.filter(({ type }) => type === "failed")).toEqual([]);
  });
});
