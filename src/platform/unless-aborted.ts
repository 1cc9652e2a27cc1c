import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for `promise`, but not past the abort of `signal`: whoever waits for what may never answer
 * can still be stopped. The promise itself goes on, and its later failure is nobody's.
 *
 * @param graceMs how long the promise may still take once the signal has aborted
 * @throws the signal's reason; what `promise` rejects with
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  graceMs = 0,
): Promise<T> {
  const settled = new AbortController();
  const aborted = abortOf(signal, settled.signal).then(async () => {
    if (graceMs > 0) await pause(graceMs, settled.signal);
    throw signal.reason;
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    settled.abort();
    // Both may still reject, and neither is waited for any more.
    aborted.catch(() => {});
    promise.catch(() => {});
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/**
 * Waits for `promise` at most `ms`.
 *
 * @returns whether it was fulfilled in time; never rejects
 */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const fulfilled = promise.then(
    () => true,
    () => false,
  );
  const inTime = await Promise.race([fulfilled, late]);
  clearTimeout(timer);
  return inTime;
}

/** Resolves when `signal` aborts; does not listen past the abort of `until`. */
function abortOf(signal: AbortSignal, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: until });
  });
}
