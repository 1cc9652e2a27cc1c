/** Everything that keeps one model's jobs: on each Redis that rankmill runs on, and in memory for tests. */
import { afterAll, beforeAll, describe } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import type { JobEnd, NewJob } from "../../src/core/job.js";
import type { JobQueue } from "../../src/core/ports/job-queue.js";
import { RedisFeedingBoard } from "../../src/redis/feeding-board.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { RedisResultStore } from "../../src/redis/redis-result-store.js";
import { RunStore } from "../../src/redis/run-store.js";
import { TrackedQueue } from "../../src/runs/tracked-queue.js";
import { MemoryFeedingBoard } from "../support/fakes/memory-feeding-board.js";
import { MemoryJobQueue, rankingOf } from "../support/fakes/memory-job-queue.js";
import { MemoryJobs } from "../support/fakes/memory-jobs.js";
import { MemoryPayloadStore } from "../support/fakes/memory-payload-store.js";
import { MemoryResultStore } from "../support/fakes/memory-result-store.js";
import { MortalResultStore } from "../support/fakes/mortal-result-store.js";
import { FAILS, GatedWorker } from "../support/gated-worker.js";
import { redisPlaces, startPlace, type TestCluster } from "../support/redis-cluster.js";
import type { TestRedis } from "../support/redis-server.js";
import { testFeedingBoard } from "./feeding-board.suite.js";
import { testJobEndNotices } from "./job-end-notices.suite.js";
import type { JobPlace } from "./job-place.js";
import { testJobQueue } from "./job-queue.suite.js";
import { testPayloadStore } from "./payload-store.suite.js";
import { testResultStore } from "./result-store.suite.js";

/** Jobs that the workers of a place hold at once. */
const WORKERS = 4;

describe.each(redisPlaces)("on %s", (kind) => {
  let server: TestRedis | TestCluster;
  let redis: RedisClient;
  let places = 0;

  beforeAll(async () => {
    server = await startPlace(kind);
    redis = await server.client();
  });

  afterAll(async () => {
    await server.close();
  });

  function nextTag(): string {
    places += 1;
    return `test-${places}`;
  }

  function placeOf(wrap: (queue: JobQueue, tag: string) => JobQueue = (queue) => queue): JobPlace {
    const tag = nextTag();
    const queue = new RedisJobQueue(redis, tag, DEFAULT_LIMITS.maxJobBytes);
    const results = new RedisResultStore(redis, tag);
    const workers: GatedWorker[] = [];
    return {
      queue: wrap(queue, tag),
      results,
      notices: results,
      payloads: queue,
      work: async () => {
        const worker = await GatedWorker.start(redis, tag);
        workers.push(worker);
        return { end: (jobs) => worker.letThrough(jobs) };
      },
      close: async () => {
        for (const worker of workers) await worker.close();
        await queue.close();
      },
    };
  }

  testJobQueue("of a model", placeOf);
  if (kind === redisPlaces[0]) {
    testJobQueue("that writes down the jobs of a run", () =>
      placeOf((queue, tag) => new TrackedQueue(queue, new RunStore(redis), tag, 1_000)),
    );
  }
  testResultStore("of a model", placeOf);
  testJobEndNotices("of a model", placeOf);
  testPayloadStore("of a model", placeOf);
  testFeedingBoard("of a model", () => new RedisFeedingBoard(redis, nextTag()));
});

function endOf(job: NewJob): JobEnd {
  const fails = job.envelope.request?.includes(FAILS) === true;
  return fails ? { status: "failed", code: "limit_exceeded", message: "made to" } : rankingOf(job);
}

function memoryPlace(): JobPlace {
  const jobs = new MemoryJobs();
  const queue = new MemoryJobQueue(jobs);
  const results = new MemoryResultStore(jobs);
  return {
    queue,
    results,
    notices: results,
    payloads: new MemoryPayloadStore(jobs),
    work: async () => {
      queue.workers = WORKERS;
      return await Promise.resolve({ end: (count) => void queue.end(count, endOf) });
    },
    close: async () => await Promise.resolve(),
  };
}

testJobQueue("in memory", memoryPlace);
testResultStore("in memory", memoryPlace);
testResultStore("of a worker that lives", () => {
  const place = memoryPlace();
  return { ...place, results: new MortalResultStore(place.results, { dead: false }) };
});
testJobEndNotices("in memory", memoryPlace);
testPayloadStore("in memory", memoryPlace);
testFeedingBoard("in memory", () => new MemoryFeedingBoard());
