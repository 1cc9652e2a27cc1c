/**
 * The consuming side of each way, in a process of its own: a processor that reads its request and
 * answers with a ranking that it did not have to compute.
 */
import process from "node:process";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import type { JobEnvelope, TakenJob } from "../../../src/core/job.js";
import { DEFAULT_CONCURRENCY } from "../../../src/app/worker/worker-options.js";
import {
  Consumer,
  DEFAULT_LOCK_DURATION_MS,
  DEFAULT_STALLED_INTERVAL_MS,
} from "../../../src/redis/consumer.js";
import { RedisJobQueue } from "../../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../../src/redis/redis-result-store.js";
import { rankingLine } from "./load.js";
import { MAX_PAYLOAD_BYTES, RAW_QUEUE, RAW_STORED_QUEUE, TAG } from "./names.js";
import { envelopeSchema } from "../../../src/core/job-envelope.js";

interface Request {
  readonly id: string;
  readonly documents: readonly unknown[];
}

const [, , way = "", path = ""] = process.argv;
const redis = new Redis(path, { maxRetriesPerRequest: null });

async function consumeOurs(): Promise<void> {
  const results = new RedisResultStore(redis, TAG);
  const payloads = new RedisJobQueue(redis, TAG, MAX_PAYLOAD_BYTES);
  const processJob = async ({ jobId, envelope: given }: TakenJob) => {
    const envelope = envelopeSchema.parse(given);
    const started = await results.begin(jobId);
    if (started.status !== "begun") throw new Error(`${jobId} was ${started.status} before`);
    const text = envelope.request ?? (await payloads.read(jobId, envelope.bytes)) ?? "";
    const { id, documents } = JSON.parse(text) as Request;
    const line = rankingLine(id, documents.length);
    const record = { status: "done", line } as const;
    await results.commit(jobId, started.fence, record, envelope.ttlSeconds);
    return { pairs: documents.length, tokens: 0, truncated: 0, failedPairs: 0 };
  };
  const consumer = new Consumer(
    redis,
    {
      tag: TAG,
      priority: "bulk",
      concurrency: DEFAULT_CONCURRENCY,
      lockDurationMs: DEFAULT_LOCK_DURATION_MS,
      stalledIntervalMs: DEFAULT_STALLED_INTERVAL_MS,
      onEvent: () => undefined,
    },
    processJob,
  );
  await consumer.ready();
  consumer.start();
}

async function consumeRaw(queue: string): Promise<void> {
  const worker = new Worker<JobEnvelope | Request, string>(
    queue,
    (job) => {
      const { id, documents } = job.data as Request;
      return Promise.resolve(rankingLine(id, documents.length));
    },
    { connection: redis, concurrency: DEFAULT_CONCURRENCY },
  );
  await worker.waitUntilReady();
}

if (way === "ours") await consumeOurs();
else await consumeRaw(way === "raw" ? RAW_QUEUE : RAW_STORED_QUEUE);
process.send?.("ready");
