import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { UnheldJobs } from "../../redis/unheld-jobs.js";

const INTERVAL_MS = 5_000;

/** Looks after jobs that are active and in nobody's hands, so that none waits for a key that expires too late. */
export async function tendJobs(
  jobs: UnheldJobs,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      const { heldUp, locks, handedBack } = await jobs.tend();
      if (heldUp.length > 0 || locks > 0) {
        logger.warn(
          { queues: heldUp, locks },
          "keys of the queue lived too long, as after a step of Redis' clock: cut short",
        );
      }
      if (handedBack.length > 0) {
        logger.warn({ jobs: handedBack.length }, "jobs that nobody held are handed out again");
      }
    } catch (error) {
      logger.warn({ err: error }, "looking after jobs in hand failed; trying again");
    }
  }
}
