import type { ErrorCode } from "../../src/core/errors.js";
import { RankmillError } from "../../src/core/errors.js";

/** What the command line's exit codes mean; part of its contract. */
export const EXIT = {
  /** Everything asked for was done. */
  ok: 0,
  /** Something that should not happen happened. */
  unexpected: 1,
  /** `health`: the worker is of no use now. */
  unfit: 1,
  /** Arguments, input or model cannot be used; nothing was done. */
  usage: 2,
  /** The run ended and some records failed; they are in the failed file. */
  someFailed: 3,
  /** The run is not over yet. */
  unfinished: 4,
  /** Redis cannot be reached or used. */
  redis: 5,
  /** Ended by Ctrl-C or SIGTERM; run again to go on. */
  interrupted: 130,
} as const;

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "usage",
  "invalid_field",
  "invalid_json",
  "limit_exceeded",
  "duplicate_id",
  "model_not_found",
  "model_unusable",
  "missing_dependency",
  "cuda_unavailable",
  "memory_too_small",
]);

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof RankmillError)) return EXIT.unexpected;
  if (error.code === "redis_unavailable") return EXIT.redis;
  return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.unexpected;
}
