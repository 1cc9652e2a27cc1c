import { RankmillError, type ErrorCode } from "../../src/core/errors.js";

/** The meaning of the command line's exit codes; part of its contract. */
export const EXIT = {
  /** Everything asked for was done. */
  ok: 0,
  /** Something that should not happen happened. */
  unexpected: 1,
  /** `health`: the worker is of no use now; `doctor`: something fails or loses work. */
  unfit: 1,
  /** Arguments, input or model cannot be used; nothing was done. */
  usage: 2,
  /** The run ended and some records failed; they are in the failed file. */
  someFailed: 3,
  /** The run is not over yet. */
  unfinished: 4,
  /** Redis cannot be reached or used. */
  redis: 5,
  /** `doctor`: all works, and something costs speed or safety. */
  warned: 6,
  /** Ended by Ctrl-C or SIGTERM; run again to go on. */
  interrupted: 130,
} as const;

/** The exit code of a command that ends with an error, by the error's code. */
export const EXIT_OF_CODE: Readonly<Record<ErrorCode, number>> = {
  invalid_json: EXIT.usage,
  invalid_field: EXIT.usage,
  limit_exceeded: EXIT.usage,
  duplicate_id: EXIT.usage,
  query_not_found: EXIT.usage,
  document_not_found: EXIT.usage,
  invalid_option: EXIT.usage,
  input_unusable: EXIT.usage,
  place_unusable: EXIT.usage,
  conflict: EXIT.usage,
  run_not_found: EXIT.usage,
  not_found: EXIT.usage,
  model_not_found: EXIT.usage,
  model_ambiguous: EXIT.usage,
  access_denied: EXIT.usage,
  model_unusable: EXIT.usage,
  missing_dependency: EXIT.usage,
  device_unavailable: EXIT.usage,
  memory_too_small: EXIT.usage,
  download_failed: EXIT.unexpected,
  prepare_failed: EXIT.unexpected,
  not_a_number: EXIT.unexpected,
  pair_too_large: EXIT.unexpected,
  pair_killed_lane: EXIT.unexpected,
  text_not_bounded: EXIT.unexpected,
  job_killed_worker: EXIT.unexpected,
  payload_missing: EXIT.unexpected,
  result_expired: EXIT.unexpected,
  damaged: EXIT.unexpected,
  cancelled: EXIT.unexpected,
  unwanted: EXIT.unexpected,
  lane_failed: EXIT.unexpected,
  redis_unavailable: EXIT.redis,
  spool_unavailable: EXIT.unexpected,
  job_lost: EXIT.unexpected,
  no_worker: EXIT.unexpected,
  timeout: EXIT.unexpected,
  internal: EXIT.unexpected,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof RankmillError ? EXIT_OF_CODE[error.code] : EXIT.unexpected;
}
