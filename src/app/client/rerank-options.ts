import { parseRequest, type Limits, type RerankRequest } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type { ModelKey, NewJob, ScoringOptions } from "../../core/job.js";
import type { Priority } from "../../core/priority.js";
import { DEFAULT_RESULT_TTL_SECONDS, makeJob } from "../../redis/make-job.js";
import { checkModel, checkNames, checkPriority, toJson } from "./check-given.js";
import type { OpenModel } from "./open-models.js";
import { scoringFor } from "./scoring-for.js";

/** A query and its documents, and the way in which they are ranked. */
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
  /** @defaultValue "interactive": ahead of all bulk jobs; "bulk" for `enqueueMany` */
  readonly priority?: Priority;
  /** The time for which Redis keeps the ranking. @defaultValue one day */
  readonly resultTtlSeconds?: number;
}

const FIELDS = {
  model: true,
  query: true,
  documents: true,
  id: true,
  topN: true,
  metadata: true,
  maxLength: true,
  priority: true,
  resultTtlSeconds: true,
  truncation: true,
  longDocuments: true,
  overlapTokens: true,
  maxWindows: true,
  maxTokensPerDoc: true,
  score: true,
  instruction: true,
} satisfies Record<keyof RerankOptions, true>;

/** A request that has been checked, as far as that goes without its model. */
export interface GivenRequest {
  readonly request: RerankRequest;
  /** UTF-8 bytes of the request as JSON. */
  readonly bytes: number;
}

/** @throws RankmillError `invalid_field` or `limit_exceeded`, naming field, limit and value */
export function readRequest(options: RerankOptions, limits: Limits): GivenRequest {
  checkNames(options, Object.keys(FIELDS));
  checkModel(options.model);
  checkPriority(options.priority);
  const wire = {
    id: options.id,
    query: options.query,
    documents: options.documents,
    top_n: options.topN,
    metadata: options.metadata,
  };
  const bytes = Buffer.byteLength(toJson(wire));
  return { request: parseOptions(wire, limits, bytes), bytes };
}

/** @throws RankmillError `invalid_field` or `limit_exceeded` */
export function jobOf(
  { request }: GivenRequest,
  options: RerankOptions,
  model: OpenModel,
  defaultPriority: Priority,
): NewJob {
  return makeJob(request, scoringFor(options, model), {
    priority: options.priority ?? defaultPriority,
    ttlSeconds: options.resultTtlSeconds ?? DEFAULT_RESULT_TTL_SECONDS,
  });
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
