/**
 * Every error that rankmill raises on purpose. `code` is stable and may be matched by scripts;
 * `message` is for people and names the field, the limit and the value where there are any.
 */
export type ErrorCode =
  // The request is wrong: the same request will fail again. Never retried.
  | "invalid_json"
  | "invalid_field"
  | "limit_exceeded"
  | "duplicate_id"
  // A first-stage run names what the collection lacks.
  | "query_not_found"
  | "document_not_found"
  // The model, its files or the machine cannot do it: an operator must act. Never retried.
  | "model_not_found"
  | "model_unusable"
  | "missing_dependency"
  | "cuda_unavailable"
  | "memory_too_small"
  | "download_failed"
  | "prepare_failed"
  | "usage"
  // One document of a job.
  | "not_a_number"
  | "pair_too_large"
  | "pair_killed_lane"
  // Something broke on the way: worth another attempt.
  | "lane_failed"
  | "redis_unavailable"
  | "spool_unavailable"
  | "payload_missing"
  | "result_expired"
  | "job_lost"
  | "timeout"
  | "cancelled"
  // Nobody waits for the job any more: it leaves the queue and no record is written.
  | "unwanted"
  | "internal";

const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "lane_failed",
  "redis_unavailable",
  "spool_unavailable",
  "timeout",
  "job_lost",
  "internal",
]);

export class RankmillError extends Error {
  readonly code: ErrorCode;
  /** The field of the request that is at fault, as the wire spells it: `documents[3].text`. */
  readonly field: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: { field?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "RankmillError";
    this.code = code;
    this.field = details.field;
  }
}

/** The one place that decides whether a failed attempt is worth another. */
export function isRetryable(error: unknown): boolean {
  return error instanceof RankmillError ? RETRYABLE.has(error.code) : true;
}

/** The code and the one-line text under which any thrown value is recorded. */
export function describeError(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof RankmillError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message };
}
