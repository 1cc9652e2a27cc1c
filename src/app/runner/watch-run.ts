import { setTimeout as sleep } from "node:timers/promises";
import type { SpoolOutput } from "../../core/ports/spool.js";
import { FIRST_INTERVAL_SECONDS } from "../../core/run-series.js";
import {
  MIN_PACE_SPAN_MS,
  SPEED_WINDOW_MS,
  speedOf,
  type SpeedSample,
} from "../../core/run-speed.js";
import type { RedisJobQueue } from "../../redis/redis-job-queue.js";
import type { RunStore } from "../../redis/run-store.js";
import type { Feeder } from "../../runs/feeder.js";
import { SAMPLE_INTERVAL_MS } from "./run-figures.js";

/** The longest delay until a cancellation is seen, and the age of what `status` shows. */
const PROGRESS_INTERVAL_MS = 500;

interface Watched {
  readonly store: RunStore;
  readonly queue: RedisJobQueue;
  readonly feeder: Feeder;
  readonly output: SpoolOutput;
  /** Samples of the last half minute; grows and shrinks. */
  readonly samples: SpeedSample[];
  readonly total: number;
  readonly ttlSeconds: number;
}

/** Publishes the run's figures and sees its cancellation. */
export async function watchRun(
  run: string,
  { store, queue, feeder, output, samples, total, ttlSeconds }: Watched,
  cancelled: AbortController,
  signal: AbortSignal,
): Promise<void> {
  let sampledAtMs = -Infinity;
  let notedAtMs = -Infinity;
  while (!signal.aborted) {
    const nowMs = performance.now();
    const { done, failed, pairs, tokens } = output.counts;
    samples.push({ atMs: nowMs, ended: done + failed, pairs, tokens });
    while (nowMs - (samples[0]?.atMs ?? nowMs) > SPEED_WINDOW_MS) samples.shift();
    try {
      if (nowMs - sampledAtMs >= SAMPLE_INTERVAL_MS) {
        sampledAtMs = nowMs;
        const speed = speedOf(await store.sample(run, output.counts), MIN_PACE_SPAN_MS);
        if (nowMs - notedAtMs >= FIRST_INTERVAL_SECONDS * 1_000) {
          notedAtMs = nowMs;
          await store.history.note(run, { total, counts: output.counts, speed, isLast: false });
        }
      }
      const activeIds = await queue.activeIds();
      const active = feeder.inFlightIds().filter((jobId) => activeIds.has(jobId)).length;
      await store.saveProgress(run, { total, counts: output.counts, active }, ttlSeconds);
      if ((await store.find(run))?.state === "cancelled") cancelled.abort();
    } catch {
      // An outage of Redis: the next turn asks again.
    }
    await sleep(PROGRESS_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
}
