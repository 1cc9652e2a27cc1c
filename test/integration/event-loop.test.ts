/**
 * A worker's own thread stays free: its timers run and its locks are renewed while the model runs and
 * while documents are megabytes. Everything is real but the lane, which is at work until it is told.
 */
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN_HEAD } from "../../src/core/heads/head-use.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { NewJob } from "../../src/core/job.js";
import { Permits } from "../../src/platform/permits.js";
import { LanePool } from "../../src/inference/lanes/lane-pool.js";
import { type OpenedTokenizer, openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { Batcher } from "../../src/pipeline/batch/batcher.js";
import { bullJobKey } from "../../src/redis/keys.js";
import { JobProcessor } from "../../src/pipeline/process-job.js";
import { Consumer, type ConsumerEvent } from "../../src/redis/consumer.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { attemptsByJob } from "../support/queue-view.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const BLOCKED_LANE = fileURLToPath(new URL("../support/blocked-lane.mjs", import.meta.url));
const MODEL_FOLDER = fileURLToPath(new URL("../../models/builtin-bm25", import.meta.url));
/** Renewed after half of it. Long enough that a busy machine renews it in time. */
const LOCK_MS = 10_000;
const TICK_MS = 50;
const TAG = "test-event-loop";

let server: TestRedis;
let redis: Redis;
let opened: OpenedTokenizer;
let pool: LanePool;
let queue: RedisJobQueue;
let results: RedisResultStore;
let consumer: Consumer;
let ticks = 0;
let ticking: NodeJS.Timeout;
let folder: string;
/** The lane is at work for as long as it exists. */
let busyFile: string;
const events: ConsumerEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-test-"));
  busyFile = join(folder, "busy");
  server = await TestRedis.start();
  redis = server.client();
  opened = await openTokenizer(MODEL_FOLDER);
  const batcher = new Batcher();
  pool = new LanePool(batcher, {
    lanes: 1,
    entryPath: BLOCKED_LANE,
    env: process.env,
    openTimeoutMs: 300_000,
    model: {
      onnxPath: busyFile,
      head: PLAIN_HEAD,
      padId: 0,
      segmentTypeIds: true,
      device: "cpu",
      intraOpThreads: 1,
    },
    onEvent: () => {},
  });
  await pool.start();
  queue = new RedisJobQueue(redis, TAG, DEFAULT_LIMITS.maxJobBytes);
  results = new RedisResultStore(redis, TAG);
  const processor = new JobProcessor({
    model: { name: "slow", activation: "identity" },
    highestMaxLength: 512,
    tokenizer: opened.tokenizer,
    template: opened.template,
    scorer: batcher,
    results,
    payloads: queue,
    payloadBytes: new Permits(DEFAULT_LIMITS.maxJobBytes),
    limits: DEFAULT_LIMITS,
  });
  consumer = new Consumer(
    redis,
    {
      tag: TAG,
      priority: "bulk",
      concurrency: 4,
      lockDurationMs: LOCK_MS,
      stalledIntervalMs: 500,
      onEvent: (event) => events.push(event),
    },
    (job, signal) => processor.process(job, signal),
  );
  await consumer.ready();
  consumer.start();
  ticking = setInterval(() => {
    ticks += 1;
  }, TICK_MS);
});

afterAll(async () => {
  clearInterval(ticking);
  await consumer.close(0);
  await pool.close();
  await opened.tokenizer.close();
  await queue.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function jobOf(id: string, documents: string[]): NewJob {
  return makeJob(
    { id, query: "slow and steady", documents: documents.map((text) => ({ text })) },
    { maxLength: 512, truncation: "only-second" },
    { priority: "bulk" },
  );
}

/** Milliseconds that the worker's lock on a job lasts; negative while it has none. */
async function lockMs(jobId: string): Promise<number> {
  return await redis.pttl(`${bullJobKey(TAG, "bulk", jobId)}:lock`);
}

/** Has the job done by a lane that is at work until the job's lock was renewed. @returns how often a timer fired */
async function rankWhileLocked(job: NewJob): Promise<number> {
  events.length = 0;
  writeFileSync(busyFile, "");
  await queue.enqueue([job], "test");
  await until("the worker has a lock on the job", async () => (await lockMs(job.jobId)) > 0);
  ticks = 0;
  let least = LOCK_MS;
  await until("the lock was renewed", async () => {
    const now = await lockMs(job.jobId);
    least = Math.min(least, now);
    return now > least;
  });
  expect(events.map(({ type }) => type)).toEqual(["taken"]);
  rmSync(busyFile);
  await until("the job has ended", () => events.some(({ type }) => type === "done"));
  return ticks;
}

async function expectOneAttempt(job: NewJob): Promise<void> {
  expect(events.map(({ type }) => type)).toEqual(["taken", "done"]);
  expect((await attemptsByJob(redis)).get(job.jobId)).toBe(1);
}

describe("a worker whose model is at work", () => {
  it("renews the lock on a job and runs its timers while the model is at work", async () => {
    const job = jobOf("slow", ["one document", "another"]);
    expect(await rankWhileLocked(job)).toBeGreaterThan(0);
    await expectOneAttempt(job);
  });

  it("renews the lock on a job of two documents of two megabytes, and ranks it once", async () => {
    const sentence = "The quick brown fox jumps over the lazy dog, again and again. ";
    const document = sentence.repeat(Math.ceil(2_097_152 / sentence.length));
    const job = jobOf("large", [document, document.toUpperCase()]);
    expect(job.payload).toBeDefined();
    expect(await rankWhileLocked(job)).toBeGreaterThan(0);
    await expectOneAttempt(job);
    const [record] = await results.read([job.jobId]);
    expect(record).toMatchObject({
      status: "done",
      line: expect.stringContaining('"truncated":2'),
    });
  });
});
