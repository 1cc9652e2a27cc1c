import { RankmillError } from "../core/errors.js";

/** The error of a job whose `signal` has aborted, for whatever reason. */
export function cancelled(signal: AbortSignal): RankmillError {
  return new RankmillError("cancelled", "the job was cancelled", { cause: signal.reason });
}
