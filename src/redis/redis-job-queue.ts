import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "./bullmq.js";
import type { EnqueueOutcome, JobEnvelope, NewJob } from "../core/job.js";
import { cancelChannel, jobKeys, KEY_PREFIX, queueName, refusedKey } from "./keys.js";
import { PRIORITIES, type Priority } from "../core/priority.js";
import { MAX_ATTEMPTS } from "./retry.js";
import type { JobQueue, QueueState } from "../core/ports/job-queue.js";
import type { PayloadStore } from "../core/ports/payload-store.js";
import { packPayload, unpackPayload } from "./make-job.js";
import { defineQueueScripts, type FoundJob } from "./queue-scripts.js";
import { telemetryOption } from "./telemetry.js";
import { takeOutJobs, takeOutUnwanted, unwantedOf } from "./unwanted-jobs.js";
import { describeError, RankmillError } from "../core/errors.js";
import { damaged } from "../core/stored-json.js";
import { waitOut } from "./wait-out.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs of one `addBulk`: a pipeline of this many commands is neither slow nor large. */
const ENQUEUE_CHUNK_JOBS = 250;
/** Jobs released in one script: it blocks Redis for about a millisecond. */
const RELEASE_CHUNK_JOBS = 200;
/** Jobs looked up in one script, for the same reason. */
const STATES_CHUNK_JOBS = 500;
/** Entries of BullMQ's events stream; nothing of ours reads it, dashboards do. */
const EVENTS_STREAM_LENGTH = 1_000;
/** Failed jobs that BullMQ keeps for dashboards; our own record is in the result store. */
const FAILED_JOBS_KEPT = 1_000;
/** Most bytes that gzip adds to a payload that cannot be compressed. */
const PACKING_BYTES = 65_536;
/** Longest time that an owner stays refused if the process that refused it has died. */
const REFUSED_TTL_SECONDS = 3_600;
/** A job may wait this long, or as long as its result would live: then nobody waits for it any more. */
const OWNERS_TTL_SECONDS = 604_800;
/** An owner that no job has. */
const NOBODY = "";
/** A worker lets go of a job that nobody waits for within milliseconds; a dead one's lock ends in seconds. */
const LEAVING_MS = 120_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 250;

/** The queues of one model on BullMQ. */
export class RedisJobQueue implements JobQueue, PayloadStore {
  readonly tag: string;
  readonly #redis: RedisClient;
  readonly #queues: Readonly<Record<Priority, Queue<JobEnvelope>>>;
  readonly #maxPayloadBytes: number;

  constructor(
    redis: RedisClient,
    tag: string,
    maxPayloadBytes: number,
    eventsStreamLength = EVENTS_STREAM_LENGTH,
  ) {
    this.tag = tag;
    this.#redis = redis;
    this.#maxPayloadBytes = maxPayloadBytes;
    defineQueueScripts(redis);
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

  async enqueue(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]> {
    const outcomes: EnqueueOutcome[] = [];
    for (let at = 0; at < jobs.length; at += ENQUEUE_CHUNK_JOBS) {
      const some = jobs.slice(at, at + ENQUEUE_CHUNK_JOBS);
      const enqueue = () => this.#enqueueChunk(some, owner);
      outcomes.push(...(await waitOut(enqueue, { redis: this.#redis })));
    }
    return outcomes;
  }

  async #enqueueChunk(jobs: readonly NewJob[], owner: string): Promise<EnqueueOutcome[]> {
    const found = await this.#register(jobs, ownerLine(owner));
    await this.#untilLeft(jobs, found, ownerLine(owner));
    const fresh = jobs.filter((_, i) => found[i] === "new" || found[i] === "failed");
    const storing = this.#redis.pipeline();
    const packing = fresh.map(async ({ jobId, payload, envelope }) => {
      if (payload === undefined) return;
      const packed = await packPayload(payload);
      storing.set(jobKeys.payload(this.tag, jobId), packed, "EX", envelope.ttlSeconds);
    });
    await Promise.all(packing);
    await run(storing);
    // BullMQ ignores an id that it still holds, failed ones included.
    const failed = jobs.filter((_, i) => found[i] === "failed");
    await Promise.all(failed.map(({ jobId, priority }) => this.#queues[priority].remove(jobId)));
    for (const priority of PRIORITIES) {
      await this.#add(
        priority,
        fresh.filter((job) => job.priority === priority),
      );
    }
    return found.map((one): EnqueueOutcome => {
      return one === "done" || one === "joined" ? one : "queued";
    });
  }

  async #register(jobs: readonly NewJob[], owner: string): Promise<FoundJob[]> {
    const keys = jobs.flatMap(({ jobId, priority }) => [
      jobKeys.owners(this.tag, jobId),
      jobKeys.result(this.tag, jobId),
      this.#bullKey(priority, jobId),
      this.#bullKey(priority, "failed"),
    ]);
    const longest = Math.max(
      OWNERS_TTL_SECONDS,
      ...jobs.map(({ envelope }) => envelope.ttlSeconds),
    );
    const ids = jobs.map(({ jobId }) => jobId);
    return await this.#redis.rankmillRegisterOwners(keys.length, ...keys, owner, longest, ...ids);
  }

  /**
   * Waits until BullMQ has let go of jobs that nobody waited for, and registers their new owner then: a
   * worker has written its result and has not told BullMQ yet, or is just giving the job up. A caller
   * who joined it would wait for a ranking that nobody makes.
   *
   * @param found of each job; `leaving` is replaced by what is found in the end
   */
  async #untilLeft(jobs: readonly NewJob[], found: FoundJob[], owner: string): Promise<void> {
    const deadlineMs = performance.now() + LEAVING_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const places = found.flatMap((one, i) => (one === "leaving" ? [i] : []));
      const leaving = places.flatMap((i) => jobs[i] ?? []);
      const [first] = leaving;
      if (first === undefined) return;
      if (performance.now() > deadlineMs) {
        const message = `a worker has held job ${first.jobId} for ${LEAVING_MS / 1_000} s, though nobody waits for it: enqueue the job again`;
        throw new RankmillError("timeout", message, { context: { jobId: first.jobId } });
      }
      const held = await this.#stop(leaving.map(({ jobId }) => jobId));
      if (held.length > 0) await sleep(pauseMs);
      const now = await this.#register(leaving, owner);
      places.forEach((place, i) => (found[place] = now[i] ?? "leaving"));
    }
  }

  async #add(priority: Priority, jobs: readonly NewJob[]): Promise<void> {
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
    const states: QueueState[] = [];
    for (let at = 0; at < jobIds.length; at += STATES_CHUNK_JOBS) {
      const some = jobIds.slice(at, at + STATES_CHUNK_JOBS);
      const keys = ["failed", ...some].flatMap((part) =>
        PRIORITIES.map((priority) => this.#bullKey(priority, part)),
      );
      const ask = () => this.#redis.rankmillStates(keys.length, ...keys, ...some);
      states.push(...(await waitOut(ask)));
    }
    return states;
  }

  async activeIds(): Promise<Set<string>> {
    const lists = await Promise.all(
      PRIORITIES.map((priority) =>
        waitOut(() => this.#redis.lrange(this.#bullKey(priority, "active"), 0, -1)),
      ),
    );
    return new Set(lists.flat());
  }

  async release(jobIds: readonly string[], owner: string): Promise<void> {
    await this.#release(jobIds, owner);
  }

  async blockOwner(owner: string): Promise<void> {
    const key = refusedKey(this.tag);
    await this.#redis.multi().sadd(key, ownerLine(owner)).expire(key, REFUSED_TTL_SECONDS).exec();
    // Jobs in the hands of workers go at once, whoever takes out the rest.
    await this.cancel([...(await this.activeIds())], owner);
  }

  async unblockOwner(owner: string): Promise<void> {
    await this.#redis.srem(refusedKey(this.tag), ownerLine(owner));
  }

  async cancel(jobIds: readonly string[], owner: string): Promise<void> {
    const released = await this.#release(jobIds, owner);
    if (released.length === 0) return;
    const held = await this.#stop(released);
    // An attempt may have written keys since the release: they go too.
    if (held.length > 0) await this.#release(held, owner);
  }

  /**
   * Takes jobs that nobody waits for out of the queue. A job cannot be removed under its worker's lock: a
   * notice ends its attempt.
   *
   * @returns those that workers hold
   */
  async #stop(jobIds: readonly string[]): Promise<string[]> {
    const held = await takeOutJobs(this.#redis, this.tag, jobIds);
    if (held.length > 0) await this.#redis.publish(cancelChannel(this.tag), held.join(","));
    return held;
  }

  async dropUnwanted(): Promise<void> {
    for (const priority of PRIORITIES) await takeOutUnwanted(this.#redis, this.tag, priority);
    const active = [...(await this.activeIds())];
    const unwanted = await unwantedOf(this.#redis, this.tag, active);
    if (unwanted.length === 0) return;
    await this.#redis.publish(cancelChannel(this.tag), unwanted.join(","));
    // Keys that a dropped attempt has written since its job was released.
    await this.#release(unwanted, NOBODY);
  }

  async read(jobId: string, maxBytes: number): Promise<string | undefined> {
    const key = jobKeys.payload(this.tag, jobId);
    const place = `the payload of job ${jobId} in Redis`;
    const most = Math.max(1, Math.min(maxBytes, this.#maxPayloadBytes));
    // Asked first: what is far too large must not come into memory at all.
    const packedBytes = await this.#redis.strlen(key);
    if (packedBytes > most + PACKING_BYTES) {
      throw damaged(place, `it has ${packedBytes} bytes, packed, and its job says ${maxBytes}`);
    }
    const packed = await this.#redis.getBuffer(key);
    if (packed === null) return undefined;
    return await unpackPayload(packed, most).catch((error: unknown) => {
      throw damaged(place, describeError(error).message, error);
    });
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
    const released: string[] = [];
    const line = ownerLine(owner);
    for (let at = 0; at < jobIds.length; at += RELEASE_CHUNK_JOBS) {
      const some = jobIds.slice(at, at + RELEASE_CHUNK_JOBS);
      const keys = some.flatMap((jobId) => ownKeys(this.tag, jobId));
      const args = [keys.length / some.length, line];
      const answers = await waitOut(() =>
        this.#redis.rankmillRelease(keys.length, ...keys, ...args),
      );
      released.push(...some.filter((_, i) => answers[i] === 1));
    }
    return released;
  }

  #bullKey(priority: Priority, part: string): string {
    return `${KEY_PREFIX}:${queueName(this.tag, priority)}:${part}`;
  }
}

/** The keys of a job beside BullMQ's, the owners first. */
function ownKeys(tag: string, jobId: string): string[] {
  const { owners, ...others } = jobKeys;
  return [owners, ...Object.values(others)].map((key) => key(tag, jobId));
}

/** An owner as one line, whatever it is called: it may hold an output's path, and that line breaks. */
function ownerLine(owner: string): string {
  return JSON.stringify(owner).slice(1, -1);
}

/** Runs a pipeline; the first error of any command is thrown. */
async function run(pipeline: ReturnType<RedisClient["pipeline"]>): Promise<unknown[]> {
  if (pipeline.length === 0) return [];
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
