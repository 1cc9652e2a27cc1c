import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import { tryStored } from "../core/stored-json.js";
import { workerKey, workersKey } from "./keys.js";
import type { RedisClient } from "./redis-client.js";

const ANNOUNCE_INTERVAL_MS = 3_000;
/** A worker that has said nothing for this long is gone, or as good as gone. */
const ANNOUNCEMENT_TTL_MS = 10_000;

/** Lanes of one worker that are told one by one: an announcement stays small. */
const MAX_TOLD_LANES = 64;

const announcementSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  /** Lanes at work at present. */
  lanes: z.int(),
  /** Jobs in hand. */
  held: z.int(),
  /** Speed while there is work; absent as long as it is not known, and of older workers. */
  pairsPerSecond: z.number().min(0).exactOptional(),
  startedAt: z.string(),
  /** Absent of older workers. */
  memory: z
    .object({ workerBytes: z.number(), sharedBytes: z.number(), limitBytes: z.number() })
    .exactOptional(),
  /** The first lanes; absent of older workers. */
  laneFigures: z
    .array(z.object({ state: z.string(), bytes: z.number() }))
    .max(MAX_TOLD_LANES)
    .exactOptional(),
});

export type WorkerAnnouncement = z.infer<typeof announcementSchema>;

/** Figures that change from one announcement to the next. */
export type WorkerFigures = Pick<
  WorkerAnnouncement,
  "lanes" | "held" | "pairsPerSecond" | "memory" | "laneFigures"
>;

/**
 * Reports every few seconds that a worker is here. Its keys have a time to live, so that nothing
 * stays of a worker that is killed.
 */
export class WorkerAnnouncer {
  readonly #redis: RedisClient;
  readonly #tag: string;
  readonly #figures: () => WorkerFigures;
  readonly #self = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    startedAt: new Date().toISOString(),
  };
  readonly #timer: NodeJS.Timeout;
  #saying: Promise<void> = Promise.resolve();

  constructor(redis: RedisClient, tag: string, figures: () => WorkerFigures) {
    this.#redis = redis;
    this.#tag = tag;
    this.#figures = figures;
    this.#timer = setInterval(() => this.#announce(), ANNOUNCE_INTERVAL_MS);
    this.#announce();
  }

  /** Takes back what it said. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    // One that is under way would come after its taking back.
    await this.#saying;
    const { id } = this.#self;
    await this.#redis.multi().del(workerKey(this.#tag, id)).srem(workersKey(this.#tag), id).exec();
  }

  #announce(): void {
    const { laneFigures, ...figures } = this.#figures();
    const announcement: WorkerAnnouncement = {
      ...this.#self,
      ...figures,
      ...(laneFigures !== undefined && { laneFigures: laneFigures.slice(0, MAX_TOLD_LANES) }),
    };
    const index = workersKey(this.#tag);
    const said = this.#redis
      .multi()
      .set(
        workerKey(this.#tag, announcement.id),
        JSON.stringify(announcement),
        "PX",
        ANNOUNCEMENT_TTL_MS,
      )
      .sadd(index, announcement.id)
      .pexpire(index, ANNOUNCEMENT_TTL_MS)
      .exec();
    // An outage: the next turn says it again.
    this.#saying = said.then(
      () => {},
      () => {},
    );
  }
}

/** The workers that serve a model at present; forgets those that are gone. */
export async function listWorkers(redis: RedisClient, tag: string): Promise<WorkerAnnouncement[]> {
  const ids = (await redis.smembers(workersKey(tag))).sort();
  if (ids.length === 0) return [];
  const said = await redis.mget(ids.map((id) => workerKey(tag, id)));
  const gone = ids.filter((_, i) => said[i] == null);
  if (gone.length > 0) await redis.srem(workersKey(tag), ...gone);
  return said.flatMap((text) => {
    return tryStored(announcementSchema, text) ?? [];
  });
}
