import { SingleFlightPoll } from "../../platform/single-flight-poll.js";
import { readBacklog, type Backlog } from "../../redis/backlog.js";
import type { WorkerAnnouncement } from "../../redis/worker-registry.js";
import { TooManyError } from "../tenants/too-many.js";
import type { ModelAtWork } from "./served-models.js";
import type { RedisClient } from "../../redis/redis-client.js";

/** What is known of a queue is at most this old. */
const FRESH_MS = 500;
/** Without an answer of Redis for this long nobody is refused. */
const ANSWER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 60_000;

interface Known {
  readonly poll: SingleFlightPoll<Backlog[]>;
  readAtMs: number;
  backlog: Backlog | undefined;
}

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

  /** @throws TooManyError with the time after which there may be a chance */
  async check({ tag, workers, model }: ModelAtWork, deadlineMs: number): Promise<void> {
    const speed = speedOf(workers);
    if (speed === undefined) return;
    const backlog = await this.#interactive(tag);
    // As long as no job waits for a worker's hands, the next one is taken at once.
    if (backlog === undefined || backlog.jobs.waiting === 0) return;
    const waitMs = (1_000 * (backlog.pairs.waiting + backlog.pairs.active)) / speed;
    if (waitMs <= deadlineMs) return;
    const seconds = Math.ceil(waitMs / 1_000);
    throw new TooManyError(
      `the requests before this one take ${model.name} about ${seconds} s, and this one waits ${deadlineMs / 1_000} s`,
      Math.min(waitMs - deadlineMs, MAX_RETRY_AFTER_MS),
    );
  }

  async #interactive(tag: string): Promise<Backlog | undefined> {
    const known = this.#known.get(tag) ?? {
      poll: new SingleFlightPoll(() => readBacklog(this.#redis, tag), ANSWER_MS),
      readAtMs: -Infinity,
      backlog: undefined,
    };
    this.#known.set(tag, known);
    if (performance.now() - known.readAtMs >= FRESH_MS) {
      const backlogs = await known.poll.answer();
      known.backlog = backlogs?.find(({ queue }) => queue === "interactive");
      known.readAtMs = performance.now();
    }
    return known.backlog;
  }
}

/** Pairs per second of all workers; one that has not told its own counts as the others do. */
function speedOf(workers: readonly WorkerAnnouncement[]): number | undefined {
  const told = workers.flatMap(({ pairsPerSecond }) => pairsPerSecond ?? []);
  if (told.length === 0) return undefined;
  const sum = told.reduce((total, one) => total + one, 0);
  return (sum / told.length) * workers.length || undefined;
}
