export type Waited<T> =
  { readonly status: "settled"; readonly value: T } | { readonly status: "late" };

/**
 * Waits for `promise`, at most `ms`. The promise goes on; a late rejection harms nobody. An answer that
 * has arrived is taken, even if this process was too busy to read it in time.
 *
 * @throws what the promise rejects with in time
 */
export async function waitAtMost<T>(promise: Promise<T>, ms: number): Promise<Waited<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Waited<T>>((resolve) => {
    // Timers come before sockets in a turn of the event loop, and immediates after them.
    timer = setTimeout(() => setImmediate(resolve, { status: "late" }), ms);
  });
  const settled = promise.then((value): Waited<T> => ({ status: "settled", value }));
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
    settled.catch(() => undefined);
  }
}
