/** The parts that feed a run into one model's queue and collect its rankings. */
import type { JobQueue } from "../core/ports/job-queue.js";
import type { Closers } from "../platform/closers.js";
import { RedisFeedingBoard } from "../redis/feeding-board.js";
import { RedisJobQueue } from "../redis/redis-job-queue.js";
import { RedisResultStore } from "../redis/redis-result-store.js";
import { Feeder, type FeederParts } from "../runs/feeder.js";
import type { RedisClient } from "../redis/redis-client.js";

export interface FeedingOptions<Q extends JobQueue> extends Pick<
  FeederParts,
  "sink" | "makeJob" | "owner" | "inFlight"
> {
  readonly redis: RedisClient;
  /** The model, as its queues are named. */
  readonly tag: string;
  readonly maxJobBytes: number;
  readonly eventsStreamLength?: number | undefined;
  /** Makes the queue that the feeder uses of the model's own. */
  readonly track: (queue: RedisJobQueue) => Q;
}

export interface Feeding<Q extends JobQueue = JobQueue> {
  readonly queue: RedisJobQueue;
  /** The queue that the feeder uses. */
  readonly tracked: Q;
  readonly feeder: Feeder;
}

/** Redis may be gone when the queue is closed; nothing is left to say then. */
const CLOSE_TIMEOUT_MS = 500;

export function openFeeding<Q extends JobQueue>(
  options: FeedingOptions<Q>,
  closers: Closers,
): Feeding<Q> {
  const { redis, tag, maxJobBytes, eventsStreamLength, sink, makeJob, owner, inFlight } = options;
  const queue = closers.use(
    "queue of the run",
    new RedisJobQueue(redis, tag, maxJobBytes, eventsStreamLength),
    (one) => one.close(),
    CLOSE_TIMEOUT_MS,
  );
  const tracked = options.track(queue);
  const feeder = new Feeder({
    queue: tracked,
    results: new RedisResultStore(redis, tag),
    board: new RedisFeedingBoard(redis, tag),
    sink,
    makeJob,
    owner,
    inFlight,
  });
  return { queue, tracked, feeder };
}
