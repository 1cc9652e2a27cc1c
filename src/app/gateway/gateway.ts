import { randomUUID } from "node:crypto";
import { once, setMaxListeners } from "node:events";
import type { Caller } from "../../core/caller.js";
import type { Limits } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { NewJob } from "../../core/job.js";
import { AnswerWatch } from "../../redis/answer-watch.js";
import { Permits } from "../../platform/permits.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { handOver } from "../../redis/hand-over.js";
import { modelTag } from "../../redis/keys.js";
import { makeJob } from "../../redis/make-job.js";
import { listServedModels } from "../../redis/model-registry.js";
import { jobName, type PlacedJob } from "../../redis/owned-jobs.js";
import { scoringFor } from "../client/scoring-for.js";
import { OpenModels, type OpenModel } from "../client/open-models.js";
import { rankingOf, type Ranking } from "../client/ranking.js";
import { priorityOf } from "../tenants/caller-limits.js";
import { BacklogWatch, type TellWait } from "./backlog-watch.js";
import { HeldJobs, type HeldSet } from "../held-jobs.js";
import { mergeRankings } from "./merge-rankings.js";
import type { RankCall, Ranked, WorkTimes } from "../../core/rank-call.js";
import { ServedModels, type ModelNames } from "./served-models.js";
import { checkJobBytes, splitCall, type ListPart } from "./split-list.js";
import type { RedisClient } from "../../redis/redis-client.js";

export interface GatewayOptions {
  readonly redis: RedisClient;
  readonly names: ModelNames;
  /** Bounds on one job; longer lists are cut into several. */
  readonly limits: Limits;
  /** Documents of one request, all of its jobs together. */
  readonly maxListDocuments: number;
  /** Time for a client that hung up to ask again. @defaultValue 15 s */
  readonly graceMs?: number;
  /** Told of jobs that could not be let go. */
  readonly onError: (error: unknown) => void;
}

export interface RankOptions {
  /** The time for the answer; later the call ends with `timeout`, and its jobs go on. */
  readonly deadlineMs: number;
  /** Goes to the worker's log with each job. */
  readonly requestId: string;
  /** Aborts when the client hangs up. */
  readonly signal: AbortSignal;
  /** Aborts when the process is to end: the call then ends as if its time were over. */
  readonly stopping: AbortSignal;
}

/** The jobs of a call did not end in time; their rankings can be asked for later. */
export class LateError extends RankmillError {
  /** Names of the jobs, as `jobName` makes them. */
  readonly jobIds: readonly string[];

  constructor(jobIds: readonly string[], deadlineMs: number) {
    super("timeout", `no ranking after ${deadlineMs} ms; the work goes on`);
    this.jobIds = jobIds;
  }
}

const GRACE_MS = 15_000;
/** Rankings that nobody fetched, after a client hung up or was told to come again, go after an hour. */
const RESULT_TTL_SECONDS = 3_600;
/** Requests whose jobs are being enqueued at once: a burst must not fill the connection to Redis. */
const MAX_ENQUEUING_REQUESTS = 64;
/** A Redis that has not answered for this long is away: requests are refused, and do not pile up. */
const SILENT_MS = 5_000;

/** The owner of jobs whose caller was told to ask for them later. */
export function lateOwner(caller: Caller): string {
  return `late:${caller.keyId}`;
}

/** Ranks lists of any length for callers who wait for the answer. */
export class Gateway {
  readonly models: ServedModels;
  readonly #redis: RedisClient;
  readonly #options: GatewayOptions;
  readonly #open: OpenModels;
  readonly #held: HeldJobs;
  readonly #backlog: BacklogWatch;
  readonly #watch: AnswerWatch;
  readonly #enqueuing = new Permits(MAX_ENQUEUING_REQUESTS);
  /** Aborts when Redis falls silent; another takes its place when Redis answers again. */
  #silence = silenceOfRedis();
  /** Other gateways hold jobs of the same callers: none may let go what another waits for. */
  readonly #id = randomUUID();

  constructor(options: GatewayOptions) {
    const { redis, limits, names, graceMs = GRACE_MS, onError } = options;
    this.#redis = redis;
    this.#options = options;
    this.models = new ServedModels(redis, names);
    this.#open = new OpenModels(redis, limits);
    this.#held = new HeldJobs({ graceMs, onError });
    this.#backlog = new BacklogWatch(redis);
    this.#watch = new AnswerWatch({
      redis,
      silentMs: SILENT_MS,
      onSilent: () => this.#silence.abort(),
      onAnswer: () => (this.#silence = silenceOfRedis()),
    });
  }

  /** Whether Redis is gone or silent: requests are refused. */
  get redisIsAway(): boolean {
    return this.#redis.status !== "ready" || this.#silence.signal.aborted;
  }

  /** Documents of one request, at most. */
  get maxListDocuments(): number {
    return this.#options.maxListDocuments;
  }

  /**
   * Ranks every question of a call. Equal jobs of one caller are one job, and cost once.
   *
   * @throws RankmillError `invalid_field` or `limit_exceeded`; `model_not_found`; {@link LateError};
   *   `redis_unavailable`; `cancelled` if the client hung up; a job's own error
   */
  async rank(caller: Caller, call: RankCall, options: RankOptions): Promise<Ranked> {
    const untilMs = performance.now() + options.deadlineMs;
    this.#checkRedis();
    const parts = splitCall(call, this.#options.limits, this.#options.maxListDocuments);
    const found = await this.models.find(call.model);
    const model = await this.#open.get(found.tag, () => Promise.resolve(found.model));
    const jobs = this.#jobsOf(caller, call, { parts, model, requestId: options.requestId });
    const unique = [...new Map(jobs.map((job) => [job.jobId, job])).values()];
    const places = jobs.map(({ jobId }, i) => ({ jobId, ...placeOf(parts, i) }));
    const held = {
      tag: model.tag,
      queue: model.queue,
      owner: `gateway:${this.#id}:${caller.keyId}`,
      jobIds: unique.map(({ jobId }) => jobId),
    };
    // A client that asks again for what is under way adds nothing to it.
    const pairs = unique.reduce((sum, { envelope }) => sum + envelope.pairs, 0);
    const tellWait = this.#held.has(held)
      ? undefined
      : await this.#backlog.admit(found, pairs, options.deadlineMs);
    const ranking = this.#rankHeld(caller, held, unique, model, { ...options, untilMs });
    const { rankings, times } = await timed(ranking, tellWait);
    const lists = call.questions.map((_, question) =>
      mergeRankings(
        places.flatMap(({ jobId, question: of, offset }) => {
          const ranking = rankings.get(jobId);
          return of === question && ranking !== undefined ? [{ offset, ranking }] : [];
        }),
      ),
    );
    return { model: model.name, lists, times };
  }

  /** Waits until a job ends; at most `ms`, and no longer than until `signal` aborts. */
  async untilEnded({ tag, id }: PlacedJob, ms: number, signal: AbortSignal): Promise<void> {
    const served = await listServedModels(this.#redis);
    const known = served.find((model) => modelTag(model) === tag);
    if (known === undefined) return;
    const { waiter } = await this.#open.get(tag, () => Promise.resolve(known));
    // However it ends: the caller looks at the job anyway.
    await waiter.wait(id, { timeoutMs: ms, signal }).catch(() => {});
  }

  /** Lets all jobs go that nobody waits for. Those who still wait are told `cancelled`. */
  async close(): Promise<void> {
    this.#watch.stop();
    await this.#held.close();
    await this.#open.close();
  }

  /** @throws RankmillError `redis_unavailable` */
  #checkRedis(): void {
    if (this.redisIsAway) throw redisIsAway();
  }

  #jobsOf(caller: Caller, call: RankCall, { parts, model, requestId }: JobParts): NewJob[] {
    const { maxLength, ...scoring } = call.scoring;
    const highest = model.maxLength?.highest ?? Infinity;
    const asked = maxLength === undefined ? {} : { maxLength: Math.min(maxLength, highest) };
    const options = scoringFor({ ...scoring, ...asked }, model);
    const priority = priorityOf(caller, undefined);
    const settings = { priority, ttlSeconds: RESULT_TTL_SECONDS, requestId };
    return parts.map(({ request }) => {
      const job = makeJob(request, options, settings);
      checkJobBytes(job.envelope.bytes, this.#options.limits, call);
      return job;
    });
  }

  async #rankHeld(
    caller: Caller,
    held: HeldSet,
    jobs: readonly NewJob[],
    model: OpenModel,
    options: RankOptions & { readonly untilMs: number },
  ): Promise<RankedJobs> {
    const late = lateOwner(caller);
    let joined: readonly string[] = [];
    const enqueue = async (): Promise<void> => {
      await this.#held.hold(held);
      const done = await this.#enqueuing.acquire(1);
      try {
        const outcomes = await model.queue.enqueue(jobs, held.owner);
        joined = held.jobIds.filter((_, i) => outcomes[i] !== "queued");
      } finally {
        done();
      }
    };
    const enqueuing = enqueue();
    try {
      await this.#inTime(enqueuing, options.untilMs);
      const rankings = await waitForAll(held.jobIds, model, options);
      this.#held.end(held);
      if (joined.length > 0) void held.queue.release(joined, late).catch(this.#options.onError);
      return { rankings, times: joined.length > 0 ? undefined : longestTimes(rankings) };
    } catch (error) {
      const { signal, stopping, deadlineMs } = options;
      const isLate = isTimeout(error) || (stopping.aborted && !signal.aborted);
      // A job whose enqueueing is still under way is let go after it.
      void enqueuing
        .catch(() => {})
        .then(() => (isLate ? this.#endLate(held, late) : this.#endFailed(held, error)));
      const names = held.jobIds.map((id) => jobName({ tag: held.tag, id }));
      throw isLate ? new LateError(names, deadlineMs) : error;
    }
  }

  /** @throws RankmillError `redis_unavailable` once Redis falls silent, `timeout` at the deadline */
  async #inTime(enqueuing: Promise<void>, untilMs: number): Promise<void> {
    const { signal } = this.#silence;
    if (signal.aborted) throw redisIsAway();
    const ended = new AbortController();
    const silent = once(signal, "abort", { signal: ended.signal }).then(() => {
      throw redisIsAway();
    });
    try {
      const left = Math.max(0, untilMs - performance.now());
      const waited = await waitAtMost(Promise.race([enqueuing, silent]), left);
      if (waited.status === "late") throw new RankmillError("timeout", "the jobs are not in yet");
    } finally {
      silent.catch(() => {});
      ended.abort();
    }
  }

  #endLate(held: HeldSet, late: string): void {
    const { tag, owner } = held;
    this.#held.endWith(held, (jobIds) => handOver(this.#redis, tag, jobIds, owner, late));
  }

  #endFailed(held: HeldSet, error: unknown): void {
    const hungUp = error instanceof RankmillError && error.code === "cancelled";
    if (hungUp) this.#held.endAfterGrace(held);
    else this.#held.endWith(held, (jobIds) => held.queue.cancel(jobIds, held.owner));
  }
}

/** The things that a call's jobs are made of. */
interface JobParts {
  readonly parts: readonly ListPart[];
  readonly model: OpenModel;
  readonly requestId: string;
}

/** The rankings of a call's jobs. */
interface RankedJobs {
  readonly rankings: ReadonlyMap<string, Ranking>;
  readonly times: WorkTimes | undefined;
}

/** Jobs are worked on side by side: the one that took longest is what the answer waited for. */
function longestTimes(rankings: ReadonlyMap<string, Ranking>): WorkTimes | undefined {
  const all = [...rankings.values()].map(({ times }) => times);
  const known = all.filter((times) => times !== undefined);
  if (known.length < all.length) return undefined;
  return known.toSorted((one, other) => workMs(other) - workMs(one))[0];
}

function workMs({ tokenizationMs, inferenceMs }: WorkTimes): number {
  return tokenizationMs + inferenceMs;
}

/** Waits for every job; the first that fails ends the waiting for all. */
async function waitForAll(
  jobIds: readonly string[],
  { waiter }: OpenModel,
  { signal, stopping, untilMs }: RankOptions & { readonly untilMs: number },
): Promise<ReadonlyMap<string, Ranking>> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  // Not `AbortSignal.any`: a signal that lives long would keep what was made of it.
  const both = [signal, stopping];
  for (const one of both) one.addEventListener("abort", end, { once: true });
  if (both.some(({ aborted }) => aborted)) end();
  setMaxListeners(0, ended.signal);
  try {
    const rankings = await Promise.all(
      jobIds.map(async (jobId): Promise<[string, Ranking]> => {
        const left = Math.max(0, untilMs - performance.now());
        const line = await waiter.wait(jobId, { timeoutMs: left, signal: ended.signal });
        return [jobId, rankingOf(line, `the ranking of job ${jobId} in Redis`)];
      }),
    );
    return new Map(rankings);
  } finally {
    for (const one of both) one.removeEventListener("abort", end);
    end();
  }
}

function placeOf(parts: readonly ListPart[], at: number): Pick<ListPart, "question" | "offset"> {
  return { question: parts[at]?.question ?? 0, offset: parts[at]?.offset ?? 0 };
}

function isTimeout(error: unknown): boolean {
  return error instanceof RankmillError && error.code === "timeout";
}

/** A client that hung up says nothing about the queue; one that waited in vain does. */
async function timed<T>(ranking: Promise<T>, tellWait: TellWait | undefined): Promise<T> {
  const startMs = performance.now();
  const tell = (): void => tellWait?.(performance.now() - startMs);
  try {
    const ranked = await ranking;
    tell();
    return ranked;
  } catch (error) {
    if (error instanceof LateError) tell();
    throw error;
  }
}

function silenceOfRedis(): AbortController {
  const silence = new AbortController();
  // As many listen as there are requests under way.
  setMaxListeners(0, silence.signal);
  return silence;
}

function redisIsAway(): RankmillError {
  return new RankmillError("redis_unavailable", "Redis is away");
}
