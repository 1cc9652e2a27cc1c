import type { RankmillError } from "../../src/core/errors.js";
import { unlessAborted } from "../../src/platform/unless-aborted.js";

/**
 * Waits until a process that serves cannot go on, or is told to stop.
 *
 * @param failures each resolves with the reason why it cannot go on
 * @returns undefined if it was told to stop
 */
export async function failureUnlessStopped(
  failures: readonly Promise<RankmillError>[],
  signal: AbortSignal,
): Promise<RankmillError | undefined> {
  try {
    return await unlessAborted(Promise.race(failures), signal);
  } catch {
    return undefined;
  }
}
