import { Queue } from "bullmq";
import type { Redis, Result } from "ioredis";
import type { EnqueueOutcome, JobEnvelope, PreparedJob } from "../core/job.js";
import { cancelChannel, jobKeys, KEY_PREFIX, queueName } from "../core/names.js";
import type { Priority } from "../core/ports.js";
import { MAX_ATTEMPTS } from "../core/retry.js";
import type { JobQueue, PayloadStore, QueueState } from "../core/stores.js";
import { packPayload, unpackPayload } from "./prepare-job.js";
import { telemetryOption } from "./telemetry.js";

/** Jobs of one `addBulk`: a pipeline of this many commands is neither slow nor large. */
const ENQUEUE_CHUNK_JOBS = 250;
/** Entries of BullMQ's events stream; nothing of ours reads it, dashboards do. */
const EVENTS_STREAM_LENGTH = 1_000;
/** Failed jobs that BullMQ keeps for dashboards; our own record is in the result store. */
const FAILED_JOBS_KEPT = 1_000;
/** Owners are forgotten with the longest-lived result. */
const OWNERS_TTL_SECONDS = 604_800;

/**
 * KEYS: owners, result, fence, payload. ARGV: owner.
 * Returns 1 where nobody waits any more and the job's keys were deleted.
 */
const RELEASE = `
redis.call("SREM", KEYS[1], ARGV[1])
if redis.call("SCARD", KEYS[1]) > 0 then return 0 end
redis.call("UNLINK", KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    rankmillRelease(
      owners: string,
      result: string,
      fence: string,
      payload: string,
      owner: string,
    ): Result<number, Context>;
  }
}

const PRIORITIES: readonly Priority[] = ["interactive", "bulk"];

/** The queues of one model on BullMQ. */
export class RedisJobQueue implements JobQueue, PayloadStore {
  readonly tag: string;
  readonly #redis: Redis;
  readonly #queues: Readonly<Record<Priority, Queue<JobEnvelope>>>;
  readonly #maxPayloadBytes: number;

  constructor(
    redis: Redis,
    tag: string,
    maxPayloadBytes: number,
    eventsStreamLength = EVENTS_STREAM_LENGTH,
  ) {
    this.tag = tag;
    this.#redis = redis;
    this.#maxPayloadBytes = maxPayloadBytes;
    redis.defineCommand("rankmillRelease", { numberOfKeys: 4, lua: RELEASE });
    const open = (priority: Priority): Queue<JobEnvelope> => {
      const queue = new Queue<JobEnvelope>(queueName(tag, priority), {
        ...telemetryOption(),
        connection: redis,
        prefix: KEY_PREFIX,
        streams: { events: { maxLen: eventsStreamLength } },
      });
      // Without a listener BullMQ prints it; the connection's owner hears of it already.
      queue.on("error", () => {});
      return queue;
    };
    this.#queues = { interactive: open("interactive"), bulk: open("bulk") };
  }

  get queueNames(): readonly string[] {
    return PRIORITIES.map((priority) => queueName(this.tag, priority));
  }

  async enqueue(jobs: readonly PreparedJob[], owner: string): Promise<EnqueueOutcome[]> {
    const outcomes: EnqueueOutcome[] = [];
    for (let at = 0; at < jobs.length; at += ENQUEUE_CHUNK_JOBS) {
      outcomes.push(...(await this.#enqueueChunk(jobs.slice(at, at + ENQUEUE_CHUNK_JOBS), owner)));
    }
    return outcomes;
  }

  async #enqueueChunk(jobs: readonly PreparedJob[], owner: string): Promise<EnqueueOutcome[]> {
    // Owners first: from then on nobody else's release can take the result away.
    const owning = this.#redis.pipeline();
    for (const { jobId } of jobs) {
      const key = jobKeys.owners(this.tag, jobId);
      owning.sadd(key, owner).expire(key, OWNERS_TTL_SECONDS);
    }
    await run(owning);

    const looking = this.#redis.pipeline();
    for (const { jobId, priority } of jobs) {
      looking
        .getrange(jobKeys.result(this.tag, jobId), 0, 0)
        .exists(this.#bullKey(priority, jobId))
        .zscore(this.#bullKey(priority, "failed"), jobId);
    }
    const answers = await run(looking);
    const found = jobs.map((job, i) => ({
      job,
      record: answers[i * 3],
      held: answers[i * 3 + 1] === 1,
      failed: answers[i * 3 + 2] !== null,
    }));
    const fresh = found.filter(({ record, held, failed }) => record !== "D" && (!held || failed));
    const clearing = this.#redis.pipeline();
    for (const { job, record } of fresh) {
      if (record === "F") clearing.del(jobKeys.result(this.tag, job.jobId));
      if (job.payload === undefined) continue;
      const key = jobKeys.payload(this.tag, job.jobId);
      clearing.set(key, await packPayload(job.payload), "EX", job.envelope.ttlSeconds);
    }
    await run(clearing);
    // BullMQ ignores an id that it still holds, failed ones included.
    const failed = fresh.filter((one) => one.failed);
    await Promise.all(failed.map(({ job }) => this.#queues[job.priority].remove(job.jobId)));
    for (const priority of PRIORITIES) {
      const adding = fresh.filter(({ job }) => job.priority === priority);
      await this.#add(
        priority,
        adding.map(({ job }) => job),
      );
    }
    return found.map((one): EnqueueOutcome => {
      if (one.record === "D") return "done";
      return fresh.includes(one) ? "queued" : "joined";
    });
  }

  async #add(priority: Priority, jobs: readonly PreparedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.#queues[priority].addBulk(
      jobs.map((job) => ({
        name: "rerank",
        data: job.envelope,
        opts: {
          jobId: job.jobId,
          attempts: MAX_ATTEMPTS,
          backoff: { type: "custom" },
          removeOnComplete: true,
          removeOnFail: { count: FAILED_JOBS_KEPT },
        },
      })),
    );
  }

  async states(jobIds: readonly string[]): Promise<QueueState[]> {
    const looking = this.#redis.pipeline();
    for (const jobId of jobIds) {
      for (const priority of PRIORITIES) {
        looking
          .exists(this.#bullKey(priority, jobId))
          .zscore(this.#bullKey(priority, "failed"), jobId);
      }
    }
    const found = await run(looking);
    return jobIds.map((_, i) => {
      const [interactive, interactiveFailed, bulk, bulkFailed] = found.slice(i * 4, i * 4 + 4);
      if (interactive !== 1 && bulk !== 1) return "missing";
      const alive =
        (interactive === 1 && interactiveFailed === null) || (bulk === 1 && bulkFailed === null);
      return alive ? "queued" : "failed";
    });
  }

  async activeIds(): Promise<Set<string>> {
    const lists = await Promise.all(
      PRIORITIES.map((priority) => this.#redis.lrange(this.#bullKey(priority, "active"), 0, -1)),
    );
    return new Set(lists.flat());
  }

  async release(jobIds: readonly string[], owner: string): Promise<void> {
    await this.#release(jobIds, owner);
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    const released = await this.#release(jobIds, owner);
    if (released.length === 0) return;
    const held = await this.#takeOut(released);
    if (held.length === 0) return;
    // A job cannot be removed under its worker's lock: the notice ends its attempt, and what that has
    // begun since the release goes once more.
    await this.#redis.publish(cancelChannel(this.tag), held.join(","));
    await this.#release(held, owner);
  }

  /** @returns ids of the jobs that workers hold, and that hence are still there */
  async #takeOut(jobIds: readonly string[]): Promise<string[]> {
    const looking = this.#redis.pipeline();
    // Newest first: BullMQ looks for a job from that end of its list at which the newest are.
    const places = jobIds
      .toReversed()
      .flatMap((jobId) => PRIORITIES.map((priority) => ({ jobId, priority })));
    for (const { jobId, priority } of places) looking.exists(this.#bullKey(priority, jobId));
    const there = await run(looking);
    const held = await Promise.all(
      places.map(async ({ jobId, priority }, i) => {
        if (there[i] !== 1) return [];
        return (await this.#queues[priority].remove(jobId).catch(() => 0)) === 1 ? [] : [jobId];
      }),
    );
    return held.flat();
  }

  async read(jobId: string): Promise<string | undefined> {
    const packed = await this.#redis.getBuffer(jobKeys.payload(this.tag, jobId));
    return packed === null ? undefined : await unpackPayload(packed, this.#maxPayloadBytes);
  }

  /** Jobs that BullMQ holds, by its own names of their states, both queues together. */
  async counts(): Promise<{ waiting: number; active: number; delayed: number; failed: number }> {
    const counts = await Promise.all(
      PRIORITIES.map((priority) =>
        this.#queues[priority].getJobCounts("waiting", "active", "delayed", "failed"),
      ),
    );
    const sum = (state: string): number =>
      counts.reduce((total, one) => total + (one[state] ?? 0), 0);
    return {
      waiting: sum("waiting"),
      active: sum("active"),
      delayed: sum("delayed"),
      failed: sum("failed"),
    };
  }

  async close(): Promise<void> {
    await Promise.all(PRIORITIES.map((priority) => this.#queues[priority].close()));
  }

  async #release(jobIds: readonly string[], owner: string): Promise<string[]> {
    if (jobIds.length === 0) return [];
    const releasing = this.#redis.pipeline();
    for (const jobId of jobIds) {
      releasing.rankmillRelease(
        jobKeys.owners(this.tag, jobId),
        jobKeys.result(this.tag, jobId),
        jobKeys.fence(this.tag, jobId),
        jobKeys.payload(this.tag, jobId),
        owner,
      );
    }
    const answers = await run(releasing);
    return jobIds.filter((_, i) => answers[i] === 1);
  }

  #bullKey(priority: Priority, part: string): string {
    return `${KEY_PREFIX}:${queueName(this.tag, priority)}:${part}`;
  }
}

/** Runs a pipeline; the first error of any command is thrown. */
async function run(pipeline: ReturnType<Redis["pipeline"]>): Promise<unknown[]> {
  if (pipeline.length === 0) return [];
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
