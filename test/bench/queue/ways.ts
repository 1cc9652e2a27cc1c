/** The producing side of either way: jobs in, rankings out. */
import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { toWireRequest } from "../../../src/core/contract.js";
import { RedisFeedingBoard } from "../../../src/queue/feeding-board.js";
import { prepareJob } from "../../../src/queue/prepare-job.js";
import { RedisJobQueue } from "../../../src/queue/redis-job-queue.js";
import { RedisResultStore } from "../../../src/results/redis-result-store.js";
import { Feeder } from "../../../src/runs/feeder.js";
import { DEFAULT_WINDOW } from "../../../src/runs/window.js";
import type { ValidRecord } from "./load.js";
import { MAX_PAYLOAD_BYTES, RAW_QUEUE, TAG } from "./names.js";

/** Same as the product's. */
const CHUNK_JOBS = 250;

export interface Way {
  /** @returns bytes of the rankings that came back, one for each record */
  through(records: readonly ValidRecord[]): Promise<number>;
  close(): Promise<void>;
}

/** What the product does: a window of jobs, results under a fence, collected and released. */
export function openOurs(path: string): Way {
  const redis = new Redis(path, { maxRetriesPerRequest: null });
  const queue = new RedisJobQueue(redis, TAG, MAX_PAYLOAD_BYTES);
  const results = new RedisResultStore(redis, TAG);
  return {
    through: async (records) => {
      let bytes = 0;
      let lines = 0;
      const feeder = new Feeder({
        queue,
        results,
        board: new RedisFeedingBoard(redis, TAG),
        sink: {
          write: (written) => {
            lines += written.length;
            for (const line of written) bytes += line.length;
            return Promise.resolve();
          },
          fail: () => Promise.reject(new Error("a job failed")),
          flush: () => Promise.resolve(),
        },
        prepare: ({ request }) =>
          prepareJob(request, { maxLength: 512, truncation: "only-second" }, { priority: "bulk" }),
        owner: "bench",
        window: DEFAULT_WINDOW,
        onProgress: () => undefined,
      });
      await feeder.run(inTurn(records), new AbortController().signal);
      if (lines !== records.length) throw new Error(`${lines} rankings of ${records.length}`);
      return bytes;
    },
    close: async () => {
      await queue.close();
      redis.disconnect();
    },
  };
}

/** BullMQ as its manual shows it: `addBulk`, a worker that returns the ranking, `QueueEvents`. */
export async function openRaw(path: string): Promise<Way> {
  const redis = new Redis(path, { maxRetriesPerRequest: null });
  const queue = new Queue(RAW_QUEUE, { connection: redis });
  const events = new QueueEvents(RAW_QUEUE, { connection: redis });
  await events.waitUntilReady();
  return {
    through: async (records) => {
      let bytes = 0;
      let left = records.length;
      const done = new Promise<void>((resolve) => {
        events.on("completed", ({ returnvalue }) => {
          bytes += String(returnvalue).length;
          left -= 1;
          if (left === 0) resolve();
        });
      });
      for (let at = 0; at < records.length; at += CHUNK_JOBS) {
        await queue.addBulk(
          records.slice(at, at + CHUNK_JOBS).map(({ request }) => ({
            name: "rerank",
            data: toWireRequest(request),
            opts: { removeOnComplete: true },
          })),
        );
      }
      await done;
      events.removeAllListeners("completed");
      return bytes;
    },
    close: async () => {
      await events.close();
      await queue.close();
      redis.disconnect();
    },
  };
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
