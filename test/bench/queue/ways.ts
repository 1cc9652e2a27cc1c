/** The producing side of either way: jobs in, rankings out. */
import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { toWireRequest } from "../../../src/core/contract.js";
import { RedisFeedingBoard } from "../../../src/redis/feeding-board.js";
import { makeJob } from "../../../src/redis/make-job.js";
import { RedisJobQueue } from "../../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../../src/redis/redis-result-store.js";
import { emptyCounts } from "../../../src/core/run-counts.js";
import { Feeder } from "../../../src/runs/feeder.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../../src/core/in-flight-bounds.js";
import type { ValidRecord } from "./load.js";
import { MAX_PAYLOAD_BYTES, RAW_QUEUE, RAW_STORED_QUEUE, TAG } from "./names.js";

/** Same as the product's. */
const CHUNK_JOBS = 250;

export interface Way {
  /** @returns bytes of the rankings that came back, one for each record */
  through(records: readonly ValidRecord[]): Promise<number>;
  close(): Promise<void>;
}

/** The way of the product: a bounded number of jobs in flight, results under a fence, collected and released. */
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
          counts: emptyCounts(),
          write: (written) => {
            lines += written.length;
            for (const line of written) bytes += line.length;
            return Promise.resolve();
          },
          fail: () => Promise.reject(new Error("a job failed")),
          flush: () => Promise.resolve(),
        },
        makeJob: ({ request }) =>
          makeJob(request, { maxLength: 512, truncation: "only-second" }, { priority: "bulk" }),
        owner: "bench",
        inFlight: DEFAULT_IN_FLIGHT_BOUNDS,
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

/**
 * BullMQ as its manual shows it: `addBulk`, a worker that returns the ranking, `QueueEvents`.
 *
 * @param stored true: results stay in Redis until the producer has them, as they do in rankmill: the
 *   job is kept when it completes, which is BullMQ's default, and removed once its ranking arrived.
 *   false: a ranking is in the stream of events alone, and lost if nobody reads that in time
 */
export async function openRaw(path: string, stored: boolean): Promise<Way> {
  const redis = new Redis(path, { maxRetriesPerRequest: null });
  const name = stored ? RAW_STORED_QUEUE : RAW_QUEUE;
  const queue = new Queue(name, { connection: redis });
  const events = new QueueEvents(name, { connection: redis });
  await events.waitUntilReady();
  return {
    through: async (records) => {
      let bytes = 0;
      let left = records.length;
      let onDone: () => void;
      const done = new Promise<void>((resolve) => (onDone = resolve));
      const collect = async (jobId: string, ranking: unknown): Promise<void> => {
        bytes += String(ranking).length;
        if (stored) await queue.remove(jobId);
        left -= 1;
        if (left === 0) onDone();
      };
      events.on("completed", ({ jobId, returnvalue }) => void collect(jobId, returnvalue));
      for (let at = 0; at < records.length; at += CHUNK_JOBS) {
        await queue.addBulk(
          records.slice(at, at + CHUNK_JOBS).map(({ request }) => ({
            name: "rerank",
            data: toWireRequest(request),
            opts: { removeOnComplete: !stored },
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
