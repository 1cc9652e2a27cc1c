/**
 * A worker's own thread stays free: its timers run and its locks are renewed while the model takes
 * seconds and while documents are megabytes. Everything is real but the lane, which only takes time.
 */
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { NewJob } from "../../src/core/job.js";
import { Permits } from "../../src/platform/permits.js";
import { LanePool } from "../../src/inference/lanes/lane-pool.js";
import { type OpenedTokenizer, openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { Batcher } from "../../src/pipeline/batch/batcher.js";
import { JobProcessor } from "../../src/pipeline/process-job.js";
import { Consumer, type ConsumerEvent } from "../../src/redis/consumer.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { attemptsByJob } from "../support/queue-view.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const SLOW_LANE = fileURLToPath(new URL("../support/slow-lane.mjs", import.meta.url));
const MODEL_FOLDER = fileURLToPath(new URL("../../models/builtin-bm25", import.meta.url));
const RUN_MS = 3_000;
/** Half of what one run takes: without renewals in time the job is lost, and run twice. */
const LOCK_MS = 1_500;
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
const events: ConsumerEvent[] = [];

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
  opened = await openTokenizer(MODEL_FOLDER);
  const batcher = new Batcher();
  pool = new LanePool(batcher, {
    lanes: 1,
    entryPath: SLOW_LANE,
    env: process.env,
    openTimeoutMs: 30_000,
    model: {
      onnxPath: String(RUN_MS),
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
});

function jobOf(id: string, documents: string[]): NewJob {
  return makeJob(
    { id, query: "slow and steady", documents: documents.map((text) => ({ text })) },
    { maxLength: 512, truncation: "only-second" },
    { priority: "bulk" },
  );
}

/** Has the job done. @returns how often the timer fired meanwhile */
async function rank(job: NewJob): Promise<number> {
  events.length = 0;
  ticks = 0;
  await queue.enqueue([job], "test");
  await until("the job has ended", () => events.some(({ type }) => type === "done"));
  return ticks;
}

describe("while the model takes three seconds", () => {
  it("timers go on, the lock is renewed, and the job is run once", async () => {
    const job = jobOf("slow", ["one document", "another"]);
    const fired = await rank(job);
    expect(fired).toBeGreaterThan(20);
    expect(events.map(({ type }) => type)).toEqual(["taken", "done"]);
    expect((await attemptsByJob(redis)).get(job.jobId)).toBe(1);
  });
});

describe("while documents are of two megabytes", () => {
  it("the same holds", async () => {
    const sentence = "The quick brown fox jumps over the lazy dog, again and again. ";
    const document = sentence.repeat(Math.ceil(2_097_152 / sentence.length));
    const job = jobOf("large", [document, document.toUpperCase()]);
    expect(job.payload).toBeDefined();
    const fired = await rank(job);
    expect(fired).toBeGreaterThan(20);
    expect(events.map(({ type }) => type)).toEqual(["taken", "done"]);
    expect((await attemptsByJob(redis)).get(job.jobId)).toBe(1);
    const [record] = await results.read([job.jobId]);
    expect(record).toMatchObject({
      status: "done",
      line: expect.stringContaining('"truncated":2'),
    });
  });
});
