import { Wording } from "./wording.js";

/** The meaning of a code to a machine. */
interface CodeFacts {
  /** Whether a job whose attempt ended so is tried again, up to its last attempt. */
  readonly retried: boolean;
}

const NEVER: CodeFacts = { retried: false };
const AGAIN: CodeFacts = { retried: true };

/**
 * Every code under which rankmill raises or records an error, and the one place that decides which
 * of them are tried again. `docs/errors.md` explains each; a test holds the two together.
 */
export const ERROR_CODES = {
  // The request is wrong: the same request will fail again.
  invalid_json: NEVER,
  invalid_field: NEVER,
  limit_exceeded: NEVER,
  duplicate_id: NEVER,
  query_not_found: NEVER,
  document_not_found: NEVER,
  // The caller must ask for something else.
  invalid_option: NEVER,
  input_unusable: NEVER,
  place_unusable: NEVER,
  conflict: NEVER,
  run_not_found: NEVER,
  not_found: NEVER,
  model_not_found: NEVER,
  model_ambiguous: NEVER,
  access_denied: NEVER,
  // The model, its files or the machine cannot do it: an operator must act.
  model_unusable: NEVER,
  missing_dependency: NEVER,
  device_unavailable: NEVER,
  memory_too_small: NEVER,
  download_failed: NEVER,
  prepare_failed: NEVER,
  // One document of a job.
  not_a_number: NEVER,
  pair_too_large: NEVER,
  pair_killed_lane: NEVER,
  text_not_bounded: NEVER,
  // A job that took down its worker again and again while it was tokenised alone.
  job_killed_worker: NEVER,
  // The job's own data or end is gone, or nobody waits for it: another attempt finds no more.
  payload_missing: NEVER,
  result_expired: NEVER,
  damaged: NEVER,
  cancelled: NEVER,
  unwanted: NEVER,
  // Something broke on the way.
  lane_failed: AGAIN,
  redis_unavailable: AGAIN,
  spool_unavailable: AGAIN,
  job_lost: AGAIN,
  no_worker: AGAIN,
  timeout: AGAIN,
  internal: AGAIN,
} as const satisfies Readonly<Record<string, CodeFacts>>;

/** Stable; scripts and programs may match it. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** A bound that a value went over. */
export interface ExceededLimit {
  /** The option that sets the bound, as the library names it: `maxDocuments`. */
  readonly name: string;
  readonly value: number;
  readonly max: number;
  /** Unit of both: `documents`, `bytes`. */
  readonly unit?: string;
}

/** The piece of work that an error belongs to. */
export interface ErrorContext {
  readonly jobId?: string;
  readonly run?: string;
  readonly model?: string;
}

export interface ErrorDetails {
  readonly field?: string | undefined;
  readonly limit?: ExceededLimit | undefined;
  readonly place?: string | undefined;
  readonly context?: ErrorContext | undefined;
  readonly cause?: unknown;
}

/**
 * Every error that rankmill raises on purpose. `message` is for people and names the field, the
 * limit and the value if there are any; the other fields hold the same as data.
 */
export class RankmillError extends Error {
  readonly code: ErrorCode;
  /** The message, with the options that it mentions as data. */
  readonly wording: Wording;
  /** The field of the request (`documents[3].text`) or the option (`maxLength`) that is at fault. */
  readonly field: string | undefined;
  readonly limit: ExceededLimit | undefined;
  /** The file, folder or address that is at fault. */
  readonly place: string | undefined;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string | Wording, details: ErrorDetails = {}) {
    const { cause } = details;
    const said = bounded(message);
    super(String(said), cause === undefined ? undefined : { cause });
    this.name = "RankmillError";
    this.code = code;
    this.wording = typeof said === "string" ? new Wording([said]) : said;
    this.field = details.field;
    this.limit = details.limit;
    this.place = details.place;
    this.context = details.context ?? {};
  }
}

/** A message names ids and values of inputs, which may be of any length; it stands in logs, in Redis and on terminals. */
const MAX_MESSAGE_CHARS = 4_096;

function bounded(message: string | Wording): string | Wording {
  const text = String(message);
  return text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS)}…` : message;
}

/** Whether a failed attempt is worth another; unknown errors are. */
export function isRetryable(error: unknown): boolean {
  return error instanceof RankmillError ? ERROR_CODES[error.code].retried : true;
}

/** Whether a code that came from elsewhere is one of ours. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** The code and the one-line text under which any thrown value is recorded. */
export function describeError(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof RankmillError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message };
}

/** The text of an error, with the options that it mentions still as data. */
export function wordingOf(error: unknown): Wording {
  return error instanceof RankmillError
    ? error.wording
    : new Wording([describeError(error).message]);
}
