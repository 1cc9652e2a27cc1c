import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { keySpace } from "../../support/key-space.js";

/**
 * The time for a worker that was frozen until now to find that nobody wants its jobs, on a busy machine. Figures
 * that it has written meanwhile go by themselves after a minute.
 */
const SETTLE_MS = 180_000;
const POLL_MS = 500;

/** Keys that belong to a model or to the fleet, and to no run. */
const SHARED = [/^rankmill:models$/, /:(fences|meta|events|id)$/, /:scores:[^:]+$/];

/** Keys that stay after everything was purged; workers get a moment to drop what nobody wants. */
export async function leftOverKeys(redis: Redis): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const keys = (await keySpace(redis)).filter((key) => !SHARED.some((one) => one.test(key)));
    if (keys.length === 0 || performance.now() > deadline) return keys;
    await sleep(POLL_MS);
  }
}
