import { setTimeout as sleep } from "node:timers/promises";

const INTERVAL_MS = 25;
/** Far longer than anything takes on a busy machine: a deadline for hangs, never a measurement. */
const DEADLINE_MS = 300_000;

/**
 * Waits until `condition` gives something true.
 *
 * @param what named in the error, with `detail()` if that is given
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  detail: () => string = () => "",
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined && value !== null) {
      return value as Exclude<T, false | undefined | null>;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}\n${detail()}`);
    await sleep(INTERVAL_MS);
  }
}
