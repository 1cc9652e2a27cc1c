import { SingleFlightPoll } from "../../platform/single-flight-poll.js";
import { readBacklog, type Backlog } from "../../redis/backlog.js";
import type { WorkerAnnouncement } from "../../redis/worker-registry.js";
import { TooManyError } from "../tenants/too-many.js";
import { ObservedSpeed } from "./observed-speed.js";
import type { ModelAtWork } from "./served-models.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** What is known of a queue is at most this old. */
const FRESH_MS = 500;
/** Without an answer of Redis for this long nobody is refused. */
const ANSWER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 60_000;
/**
 * A speed is an estimate. Who is let in at the very end of the deadline is as likely late as not, and a
 * request that is late costs as much as one that is answered.
 */
const SHARE_OF_DEADLINE = 0.8;

interface Known {
  readonly poll: SingleFlightPoll<Backlog[]>;
  readonly speed: ObservedSpeed;
  readAtMs: number;
  backlog: Backlog | undefined;
  /** Pairs of requests that were let in since the backlog was read. */
  sincePairs: number;
}

/** Tells of a request that was let in how long it waited, whether or not it was answered. */
export type TellWait = (waitedMs: number) => void;

/**
 * Tells when a request has no chance: what waits before it, ahead of all bulk jobs, takes the workers
 * longer than its client waits.
 */
export class BacklogWatch {
  readonly #redis: RedisClient;
  readonly #known = new Map<string, Known>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /**
   * Lets a request of so many pairs in.
   *
   * @throws TooManyError with the time after which there may be a chance
   */
  async admit(
    { tag, workers, model }: ModelAtWork,
    pairs: number,
    deadlineMs: number,
  ): Promise<TellWait> {
    const known = await this.#read(tag);
    const { backlog } = known;
    const before = (backlog?.pairs.waiting ?? 0) + (backlog?.pairs.active ?? 0) + known.sincePairs;
    const speed = lower(speedOf(workers), known.speed.pairsPerSecond);
    // As long as no job waits for a worker's hands, the next one is taken at once.
    if (speed !== undefined && backlog !== undefined && backlog.jobs.waiting > 0) {
      const waitMs = (1_000 * before) / speed;
      const mostMs = SHARE_OF_DEADLINE * deadlineMs;
      if (waitMs > mostMs) throw tooMany(model.name, waitMs, mostMs);
    }
    known.sincePairs += pairs;
    return (waitedMs) => known.speed.note(before + pairs, waitedMs);
  }

  async #read(tag: string): Promise<Known> {
    const known = this.#known.get(tag) ?? {
      poll: new SingleFlightPoll(() => readBacklog(this.#redis, tag), ANSWER_MS),
      speed: new ObservedSpeed(),
      readAtMs: -Infinity,
      backlog: undefined,
      sincePairs: 0,
    };
    this.#known.set(tag, known);
    if (performance.now() - known.readAtMs >= FRESH_MS) {
      const backlogs = await known.poll.answer();
      // Others that waited for the same answer may have been let in already.
      if (performance.now() - known.readAtMs >= FRESH_MS) {
        known.backlog = backlogs?.find(({ queue }) => queue === "interactive");
        known.readAtMs = performance.now();
        known.sincePairs = 0;
      }
    }
    return known;
  }
}

function tooMany(model: string, waitMs: number, mostMs: number): TooManyError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new TooManyError(
    `the requests before this one take ${model} about ${seconds} s, and it may wait ${mostMs / 1_000} s of its deadline`,
    Math.min(waitMs - mostMs, MAX_RETRY_AFTER_MS),
  );
}

/** The lower of two speeds; undefined if the workers have told none yet. */
function lower(told: number | undefined, observed: number | undefined): number | undefined {
  return told === undefined || observed === undefined ? told : Math.min(told, observed);
}

/** Pairs per second of all workers; one that has not told its own counts as the others do. */
function speedOf(workers: readonly WorkerAnnouncement[]): number | undefined {
  const told = workers.flatMap(({ pairsPerSecond }) => pairsPerSecond ?? []);
  if (told.length === 0) return undefined;
  const sum = told.reduce((total, one) => total + one, 0);
  return (sum / told.length) * workers.length || undefined;
}
