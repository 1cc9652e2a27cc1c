/** Errors as statuses and texts for clients. */
import { LateError } from "../../src/app/gateway/gateway.js";
import { TooManyError } from "../../src/app/tenants/too-many.js";
import { RankmillError, type ErrorCode } from "../../src/core/errors.js";
import { Refusal } from "./refusal.js";

/** An error as a client may see it. */
export interface ShownError {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Jobs whose rankings can be asked for later. */
  readonly jobIds: readonly string[];
}

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_json: 400,
  invalid_field: 422,
  limit_exceeded: 422,
  duplicate_id: 422,
  invalid_option: 422,
  model_not_found: 404,
  model_ambiguous: 422,
  run_not_found: 404,
  not_found: 404,
  input_unusable: 422,
  conflict: 409,
  access_denied: 403,
  not_a_number: 422,
  pair_too_large: 422,
  pair_killed_lane: 422,
  text_not_bounded: 422,
  result_expired: 410,
  cancelled: 503,
  redis_unavailable: 503,
  spool_unavailable: 503,
  timeout: 504,
  // A route that this gateway was not started for.
  missing_dependency: 501,
};

/** Texts of errors that are not the client's: what was thrown may name a path or an address. */
const TEXTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  redis_unavailable: "the queue is not available at present: try again",
  spool_unavailable: "the spool is not available at present: try again",
  cancelled: "the request was stopped: send it again",
};

export function showError(error: unknown): ShownError {
  if (error instanceof Refusal) {
    const { status, code, message, headers } = error;
    return { status, code, message, headers, jobIds: [] };
  }
  if (error instanceof LateError) {
    const { message, jobIds } = error;
    return { status: 504, code: "timeout", message, headers: {}, jobIds };
  }
  if (error instanceof TooManyError) {
    const { code, message, retryAfterSeconds } = error;
    return { status: 429, code, message, headers: retryAfter(retryAfterSeconds), jobIds: [] };
  }
  const code = error instanceof RankmillError ? error.code : "internal";
  const status = statusOf(code, error);
  const headers = status === 503 ? retryAfter(1) : {};
  const field = error instanceof RankmillError ? error.field : undefined;
  return { status, code, field, message: textOf(code, status, error), headers, jobIds: [] };
}

function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { "Retry-After": String(seconds) };
}

function statusOf(code: ErrorCode, error: unknown): number {
  const bytes = error instanceof RankmillError && error.limit?.unit === "bytes";
  return bytes ? 413 : (STATUS[code] ?? 500);
}

function textOf(code: ErrorCode, status: number, error: unknown): string {
  if ((status < 500 || status === 501) && error instanceof Error) return error.message;
  return TEXTS[code] ?? `the gateway or a worker failed (${code}): the log says why`;
}
