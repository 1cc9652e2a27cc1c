/** A worker that ends gives its jobs back, also if that takes a while. */
import type { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { RankmillError } from "../../src/core/errors.js";
import type { JobSummary, TakenJob } from "../../src/core/job.js";
import { Consumer } from "../../src/redis/consumer.js";
import { KEY_PREFIX, queueName } from "../../src/redis/keys.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const TAG = "back";
const LIST = `${KEY_PREFIX}:${queueName(TAG, "bulk")}`;
/** What an idle machine takes some milliseconds for, a busy one takes this long for. */
const BUSY_MS = 1_500;

let server: TestRedis;
let redis: Redis;
let queue: RedisJobQueue;

async function untilAborted(_job: TakenJob, signal: AbortSignal): Promise<JobSummary> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  await sleep(BUSY_MS);
  throw new RankmillError("cancelled", "the attempt was cancelled");
}

describe("a worker that ends", () => {
  beforeAll(async () => {
    server = await TestRedis.start();
    redis = server.client();
    queue = new RedisJobQueue(redis, TAG, DEFAULT_LIMITS.maxJobBytes);
  });

  afterAll(async () => {
    await queue.close();
    await server.close();
  });

  it("waits for its jobs to be back in the queue as long as Redis answers", async () => {
    const consumer = new Consumer(
      redis,
      {
        tag: TAG,
        priority: "bulk",
        concurrency: 2,
        lockDurationMs: 30_000,
        stalledIntervalMs: 30_000,
        onEvent: () => {},
      },
      untilAborted,
    );
    await consumer.ready();
    consumer.start();
    const request = { id: "one", query: "q", documents: [{ text: "d" }] };
    const scoring = { maxLength: 128, truncation: "only-second" } as const;
    const job = makeJob(request, scoring, { priority: "bulk" });
    await queue.enqueue([job], "me");
    await until("the job is in hand", () => consumer.held.length === 1);
    await consumer.close(0);
    expect(await redis.llen(`${LIST}:active`)).toBe(0);
    expect(await redis.lrange(`${LIST}:wait`, 0, -1)).toEqual([job.jobId]);
  });
});
