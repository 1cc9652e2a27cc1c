import { randomUUID } from "node:crypto";
import type { Telemetry } from "bullmq";
import { DEFAULT_LIMITS, type Limits } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { EnqueueOutcome, ModelKey } from "../../core/job.js";
import type { Spool } from "../../core/ports/spool.js";
import type { Priority } from "../../core/priority.js";
import { packageRoot } from "../../platform/package-root.js";
import { within } from "../../platform/unless-aborted.js";
import { resolveModel } from "../../models/resolve.js";
import { connectRedis } from "../../redis/connection.js";
import { jobKeys, modelTag } from "../../redis/keys.js";
import { findServedModel } from "../../redis/model-registry.js";
import type { RedisClient } from "../../redis/redis-client.js";
import type { RedisTls } from "../../redis/redis-url.js";
import { traceQueues } from "../../redis/telemetry.js";
import { openSpool } from "../../outputs/spool/registry.js";
import { Runs } from "../runs/runs.js";
import { checkCall, checkMs, orAborted, type CallOptions } from "./call-options.js";
import { answered } from "./answered.js";
import { checkLimits, checkModel, checkNames, checkText } from "./check-given.js";
import { ClientRuns } from "./client-runs.js";
import {
  rankMany,
  type EnqueueManyOptions,
  type ManyActions,
  type ManyResult,
} from "./enqueue-many.js";
import { EnqueuedJob } from "./enqueued-job.js";
import { OpenModels, type KnownModel, type OpenModel } from "./open-models.js";
import type { Ranking } from "./ranking.js";
import { RankingCalls, waitFor } from "./ranking-calls.js";
import { jobOf, readRequest, type RerankOptions } from "./rerank-options.js";

export interface ClientOptions {
  /** `redis://`, `rediss://`, `unix://`, `redis+sentinel://host:port,…/name` or `redis+cluster://host:port,…` */
  readonly redisUrl: string;
  /** Certificates of a connection with TLS. @defaultValue the authorities that Node trusts */
  readonly redisTls?: RedisTls;
  /** Over these a request is refused before anything is enqueued. */
  readonly limits?: Partial<Limits>;
  /** Called with connection errors after the first connection; the client reconnects by itself. */
  readonly onError?: (error: Error) => void;
  /**
   * Milliseconds that `enqueue` waits for a Redis that does not answer.
   *
   * @defaultValue 30,000
   */
  readonly enqueueTimeoutMs?: number;
  /** Place of spooled runs: a folder, or `s3://bucket/prefix`. @defaultValue none */
  readonly spool?: string;
  /**
   * Endpoint, region and credentials of a bucket under AWS' own names, such as `process.env`.
   *
   * @defaultValue none
   */
  readonly spoolEnv?: Readonly<Record<string, string | undefined>>;
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal;
  /** `new BullMQOtel(…)` of the package bullmq-otel: traces lead from this process to the worker. */
  readonly telemetry?: Telemetry;
}

const CLIENT_FIELDS = {
  redisUrl: true,
  redisTls: true,
  limits: true,
  onError: true,
  enqueueTimeoutMs: true,
  spool: true,
  spoolEnv: true,
  signal: true,
  telemetry: true,
} satisfies Record<keyof ClientOptions, true>;

/** Redis may be gone when a client is closed; nothing is left to say then. */
const CLOSE_MS = 1_000;
const ENQUEUE_TIMEOUT_MS = 30_000;

/** Somebody waits for the answer, and should hear before long that there is none. */
const RERANK_TIMEOUT_MS = 30_000;

/**
 * A producer: enqueues rerank jobs and reads their rankings. Loads no inference runtime. With `await using`
 * it is closed at the end of its block.
 */
export class Client implements AsyncDisposable {
  readonly #redis: RedisClient;
  readonly #limits: Limits;
  readonly #models: OpenModels;
  /** Owner of this client's jobs: another's cancel must not take them. */
  readonly #owner = `client:${randomUUID()}`;
  readonly #calls: RankingCalls;

  /** The submitted runs on this Redis. */
  readonly runs: ClientRuns;
  readonly #runs: Runs;
  readonly #enqueueTimeoutMs: number;
  #closed = false;

  /** Use {@link createClient}. */
  constructor(
    redis: RedisClient,
    limits: Limits,
    openSpool: (() => Promise<Spool>) | undefined,
    enqueueTimeoutMs = ENQUEUE_TIMEOUT_MS,
  ) {
    this.#redis = redis;
    this.#limits = limits;
    this.#models = new OpenModels(redis, limits);
    this.#calls = new RankingCalls(redis, `${this.#owner}:calls`);
    this.#enqueueTimeoutMs = enqueueTimeoutMs;
    this.#runs = new Runs(redis, openSpool);
    const spooling = openSpool !== undefined;
    this.runs = new ClientRuns(this.#runs, limits, spooling, (model) => this.#known(model));
  }

  /**
   * Ranks documents: enqueues one job and waits for its ranking. If the wait ends without one, the job is
   * taken out of the queue, unless somebody else waits for it.
   *
   * @param call `timeoutMs`: 30,000 by default
   * @throws RankmillError as {@link enqueue} and {@link EnqueuedJob.result}; the signal's reason
   */
  async rerank(options: RerankOptions, call: CallOptions = {}): Promise<Ranking> {
    return await this.#rank(options, { timeoutMs: RERANK_TIMEOUT_MS, ...call }, "interactive");
  }

  /**
   * Ranks any number of requests and gives each result as it comes. No more than `inFlightJobs` are under
   * way: the source is read on only as far as results are taken. A request that fails is a result too; what
   * would fail all of them ends the loop. If the loop is left, jobs under way are taken out of the queue.
   *
   * @param requests an array, a generator, a stream; each may carry fields of your own
   * @throws RankmillError `invalid_field` for an option, at once; while it is read `redis_unavailable`,
   *   `model_not_found`, `model_ambiguous`, `cancelled` if the client is closed; what the source throws; the
   *   signal's reason
   */
  enqueueMany<R extends RerankOptions>(
    requests: Iterable<R> | AsyncIterable<R>,
    options: EnqueueManyOptions = {},
  ): AsyncGenerator<ManyResult<R>, void, undefined> {
    const measure = (request: RerankOptions): number => readRequest(request, this.#limits).bytes;
    const rank: ManyActions["rank"] = (request, call) => this.#rank(request, call, "bulk");
    return rankMany(requests, { measure, rank }, options);
  }

  /**
   * Enqueues one job. A job that is equal in model, options, id, query and documents is the same
   * job: it is joined if it is under way, and its ranking is there at once if it is done.
   *
   * @param call `timeoutMs`: the client's `enqueueTimeoutMs` by default
   * @throws RankmillError `invalid_field` or `limit_exceeded`, naming field, limit and value;
   *   `model_not_found`; `model_ambiguous` if a model's name could mean several; `redis_unavailable`
   *   or `timeout` if Redis did not answer in time: the job may be enqueued all the same, once it does;
   *   `cancelled` if the client was closed; the signal's reason
   */
  async enqueue(options: RerankOptions, call: CallOptions = {}): Promise<EnqueuedJob> {
    checkCall(call);
    const given = readRequest(options, this.#limits);
    const model = await this.#model(options.model, call);
    const job = jobOf(given, options, model, "interactive");
    const outcome = await this.#answered(model.enqueue(job, this.#owner), call);
    return this.#job(job.jobId, outcome, model);
  }

  /**
   * A handle on a job that was enqueued before, here or elsewhere.
   *
   * @throws RankmillError `model_not_found`, `model_ambiguous`, `redis_unavailable`; the signal's reason
   */
  async job(jobId: string, model: string | ModelKey, call: CallOptions = {}): Promise<EnqueuedJob> {
    checkCall(call);
    checkText("jobId", jobId);
    checkModel(model);
    return this.#job(jobId, "joined", await this.#model(model, call));
  }

  /** Closes all connections; jobs that were enqueued go on. Calls that wait reject with `cancelled`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await within(this.#calls.close(), CLOSE_MS);
    await this.#models.close();
    await within(this.#runs.close(), CLOSE_MS);
    this.#redis.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #rank(options: RerankOptions, call: CallOptions, priority: Priority): Promise<Ranking> {
    checkCall(call);
    const startMs = performance.now();
    const given = readRequest(options, this.#limits);
    const model = await this.#model(options.model, call);
    const job = jobOf(given, options, model, priority);
    const { timeoutMs, signal } = call;
    const spentMs = performance.now() - startMs;
    return await this.#calls.rank(model, job, {
      timeoutMs: timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - spentMs),
      signal,
      enqueueTimeoutMs: this.#enqueueTimeoutMs,
    });
  }

  /** @throws RankmillError `redis_unavailable` if `promise` takes too long; the signal's reason */
  async #answered<T>(promise: Promise<T>, { timeoutMs, signal }: CallOptions): Promise<T> {
    return await answered(this.#redis, promise, timeoutMs ?? this.#enqueueTimeoutMs, signal);
  }

  #job(jobId: string, outcome: EnqueueOutcome, model: OpenModel): EnqueuedJob {
    const owner = this.#owner;
    return new EnqueuedJob(jobId, outcome, jobKeys.result(model.tag, jobId), {
      wait: (options) => waitFor(this.#redis, model, jobId, { ...options, owner }),
      cancel: () => model.queue.cancel([jobId], owner),
      tellCancelled: () => model.waiter.cancelled(jobId, owner),
    });
  }

  /** @throws RankmillError `cancelled` if the client was closed; as {@link #known} and {@link #answered} */
  async #model(model: string | ModelKey, call: CallOptions): Promise<OpenModel> {
    if (this.#closed) throw new RankmillError("cancelled", "the client was closed");
    call.signal?.throwIfAborted();
    const name = typeof model === "string" ? model : modelTag(model);
    return await this.#answered(
      this.#models.get(name, () => this.#known(model)),
      call,
    );
  }

  async #known(model: string | ModelKey): Promise<KnownModel> {
    if (typeof model !== "string") return model;
    const served = await findServedModel(this.#redis, model);
    if (served !== undefined) return served;
    try {
      return await resolveModel(model, { packageRoot: packageRoot() });
    } catch (error) {
      throw new RankmillError(
        "model_not_found",
        `no worker on this Redis has served "${model}" yet: start one, or name the model as {name, revision, precision}`,
        { cause: error, context: { model } },
      );
    }
  }
}

/**
 * Connects a producer.
 *
 * @throws RankmillError `redis_unavailable` if Redis cannot be reached or refuses; `invalid_field`; the
 *   signal's reason
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  checkNames(options, Object.keys(CLIENT_FIELDS));
  checkText("redisUrl", options.redisUrl);
  checkCall({ signal: options.signal });
  checkLimits(options.limits ?? {});
  if (options.enqueueTimeoutMs !== undefined) checkMs("enqueueTimeoutMs", options.enqueueTimeoutMs);
  options.signal?.throwIfAborted();
  if (options.telemetry !== undefined) traceQueues(options.telemetry);
  const connecting = connectRedis(
    { url: options.redisUrl, tls: options.redisTls },
    options.onError ?? (() => {}),
  );
  const redis = await orAborted(connecting, options.signal).catch((error: unknown) => {
    // A connection that comes up later is not wanted any more.
    void connecting.then((late) => late.disconnect()).catch(() => {});
    throw error;
  });
  const { spool, spoolEnv = {} } = options;
  const open = spool === undefined ? undefined : () => openSpool(spool, spoolEnv);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return new Client(redis, limits, open, options.enqueueTimeoutMs);
}
