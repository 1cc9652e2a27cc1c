import { setMaxListeners } from "node:events";
import { RankmillError } from "../../core/errors.js";
import { unlessAborted } from "../../platform/unless-aborted.js";

/** Bounds on one call. */
export interface CallOptions {
  /** Milliseconds that the call may take. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call when it aborts; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Bounds on the wait for a job: one of them at least. */
export type ResultOptions =
  | { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }
  | { readonly signal: AbortSignal; readonly timeoutMs?: number | undefined };

/** A timer of Node takes no more; a longer one fires at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** @throws RankmillError `invalid_field`: callers without types give what they like */
export function checkCall({ timeoutMs, signal }: CallOptions): void {
  if (timeoutMs !== undefined) checkMs("timeoutMs", timeoutMs);
  if (signal === undefined) return;
  if (signal instanceof AbortSignal) return allowMany(signal);
  throw new RankmillError("invalid_field", "signal: is no AbortSignal", { field: "signal" });
}

/** @throws RankmillError `invalid_field` */
export function checkMs(field: string, value: unknown): void {
  if (typeof value === "number" && value >= 0 && value <= MAX_TIMEOUT_MS) return;
  throw new RankmillError(
    "invalid_field",
    `${field}: is ${String(value)}, not a number of milliseconds from 0 to ${MAX_TIMEOUT_MS}`,
    { field },
  );
}

/** One signal may stop a thousand calls at once; Node would print a warning about the eleventh. */
function allowMany(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}

/** @throws the signal's reason as soon as it aborts; the promise goes on */
export async function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  allowMany(signal);
  return await unlessAborted(promise, signal);
}

/** The same items; throws the signal's reason as soon as it aborts, also while the next is waited for. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    const ended = iterator.return?.();
    // A source may hang on a silent Redis: after an abort nobody waits for its end.
    if (signal?.aborted === true) ended?.catch(() => {});
    else await ended;
  }
}
