import { randomUUID } from "node:crypto";
import type { Telemetry } from "bullmq";
import {
  DEFAULT_LIMITS,
  parseRequest,
  type Limits,
  type RerankRequest,
} from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { EnqueueOutcome, ModelKey, ScoringOptions } from "../../core/job.js";
import { modelTag } from "../../redis/keys.js";
import { PRIORITIES, type Priority } from "../../core/priority.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { packageRoot } from "../../platform/package-root.js";
import { resolveModel } from "../../models/resolve.js";
import { connectRedis } from "../../redis/connection.js";
import type { RedisTls } from "../../redis/redis-url.js";
import { findServedModel } from "../../redis/model-registry.js";
import { DEFAULT_RESULT_TTL_SECONDS, makeJob } from "../../redis/make-job.js";
import { traceQueues } from "../../redis/telemetry.js";
import { openSpool } from "../../outputs/spool/registry.js";
import type { Spool } from "../../core/ports/spool.js";
import { Runs } from "../runs/runs.js";
import { maxLengthOf } from "./max-length-of.js";
import { ClientRuns } from "./client-runs.js";
import { EnqueuedJob } from "./enqueued-job.js";
import { OpenModels, type KnownModel, type OpenModel } from "./open-models.js";
import type { RedisClient } from "../../redis/redis-client.js";

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
  /** `new BullMQOtel(…)` of the package bullmq-otel: traces lead from this process to the worker. */
  readonly telemetry?: Telemetry;
}

/** A query and its documents. */
export interface RerankOptions extends Partial<Omit<ScoringOptions, "maxLength">> {
  /** Name or alias of a model that a worker serves; or exactly which, if several could be meant. */
  readonly model: string | ModelKey;
  readonly query: string;
  /** Candidates: texts, or texts with ids of your own. */
  readonly documents: readonly (string | { readonly id?: string; readonly text: string })[];
  /** The record's id, returned with the ranking. @defaultValue the job's id */
  readonly id?: string;
  /** Results to return. @defaultValue all */
  readonly topN?: number;
  /** Returned with the ranking, never read. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Tokens of an encoded pair. @defaultValue the model's own */
  readonly maxLength?: number;
  /** @defaultValue "interactive": ahead of all bulk jobs */
  readonly priority?: Priority;
  /** The time for which Redis keeps the ranking. @defaultValue one day */
  readonly resultTtlSeconds?: number;
}

const ENQUEUE_TIMEOUT_MS = 30_000;

/** Callers without types give what they like, and a queue of another name has no worker. */
function checkPriority(priority: string | undefined): void {
  if (priority === undefined || PRIORITIES.some((one) => one === priority)) return;
  throw new RankmillError(
    "invalid_field",
    `priority: is ${JSON.stringify(priority)}, not one of ${PRIORITIES.join(", ")}`,
    { field: "priority" },
  );
}

/** `parseRequest` knows the names on the wire, a caller those of {@link RerankOptions}. */
function parseOptions(wire: unknown, limits: Limits, bytes: number): RerankRequest {
  try {
    return parseRequest(wire, limits, bytes, "");
  } catch (error) {
    if (!(error instanceof RankmillError) || error.field !== "top_n") throw error;
    const message = error.message.replace(/^top_n/, "topN");
    throw new RankmillError(error.code, message, { cause: error, field: "topN" });
  }
}

/** A producer: enqueues rerank jobs and reads their rankings. Loads no inference runtime. */
export class Client {
  readonly #redis: RedisClient;
  readonly #limits: Limits;
  readonly #models: OpenModels;
  /** Owner of this client's jobs: another's cancel must not take them. */
  readonly #owner = `client:${randomUUID()}`;

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
    this.#enqueueTimeoutMs = enqueueTimeoutMs;
    this.#runs = new Runs(redis, openSpool);
    const spooling = openSpool !== undefined;
    this.runs = new ClientRuns(this.#runs, limits, spooling, (model) => this.#known(model));
  }

  /**
   * Enqueues one job. A job that is equal in model, options, id, query and documents is the same
   * job: it is joined if it is under way, and its ranking is there at once if it is done.
   *
   * @throws RankmillError `invalid_field` or `limit_exceeded`, naming field, limit and value;
   *   `model_not_found`; `model_ambiguous` if a model's name could mean several; `redis_unavailable`
   *   if Redis did not answer in time: the job may be enqueued all the same, once it does;
   *   `cancelled` if the client was closed
   */
  async enqueue(options: RerankOptions): Promise<EnqueuedJob> {
    if (this.#closed) throw new RankmillError("cancelled", "the client was closed");
    checkPriority(options.priority);
    const wire = {
      id: options.id,
      query: options.query,
      documents: options.documents,
      top_n: options.topN,
      metadata: options.metadata,
    };
    const bytes = Buffer.byteLength(JSON.stringify(wire));
    const request = parseOptions(wire, this.#limits, bytes);
    const model = await this.#answered(this.#model(options.model));
    const { longDocuments, overlapTokens, maxWindows, maxTokensPerDoc, score } = options;
    const scoring = {
      maxLength: maxLengthOf(options.maxLength, model),
      truncation: options.truncation ?? "only-second",
      longDocuments,
      overlapTokens,
      maxWindows,
      maxTokensPerDoc,
      score,
    } as const;
    const settings = {
      priority: options.priority ?? "interactive",
      ttlSeconds: options.resultTtlSeconds ?? DEFAULT_RESULT_TTL_SECONDS,
    } as const;
    const job = makeJob(request, scoring, settings);
    const [outcome] = await this.#answered(model.queue.enqueue([job], this.#owner));
    return this.#job(job.jobId, outcome ?? "queued", model);
  }

  /** A handle on a job that was enqueued before, here or elsewhere. */
  async job(jobId: string, model: string | ModelKey): Promise<EnqueuedJob> {
    return this.#job(jobId, "joined", await this.#model(model));
  }

  /** Closes all connections; jobs that were enqueued go on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#models.close();
    await this.#runs.close();
    this.#redis.disconnect();
  }

  /** @throws RankmillError `redis_unavailable` if `promise` takes too long */
  async #answered<T>(promise: Promise<T>): Promise<T> {
    const ms = this.#enqueueTimeoutMs;
    const waited = await waitAtMost(promise, ms);
    if (waited.status === "settled") return waited.value;
    throw new RankmillError("redis_unavailable", `Redis has not answered for ${ms} ms`);
  }

  #job(jobId: string, outcome: EnqueueOutcome, { queue, waiter }: OpenModel): EnqueuedJob {
    return new EnqueuedJob(jobId, outcome, waiter, () => queue.cancel([jobId], this.#owner));
  }

  async #model(model: string | ModelKey): Promise<OpenModel> {
    const name = typeof model === "string" ? model : modelTag(model);
    return await this.#models.get(name, () => this.#known(model));
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
 * @throws RankmillError `redis_unavailable` if Redis cannot be reached or refuses
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  if (options.telemetry !== undefined) traceQueues(options.telemetry);
  const redis = await connectRedis(
    { url: options.redisUrl, tls: options.redisTls },
    options.onError ?? (() => {}),
  );
  const { spool, spoolEnv = {} } = options;
  const open = spool === undefined ? undefined : () => openSpool(spool, spoolEnv);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return new Client(redis, limits, open, options.enqueueTimeoutMs);
}
