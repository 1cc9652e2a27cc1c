import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { oldestWaitingAtMs } from "../../redis/queue-age.js";
import { listWorkers } from "../../redis/worker-registry.js";
import { speedOf, type RunSpeed } from "../../core/run-speed.js";
import { runMemoryBytes } from "../../redis/run-footprint.js";
import { reportOf, type RunReport } from "../../runs/run-report.js";
import { RunStore, type RunInfo } from "../../redis/run-store.js";
import type { RunStatus } from "../../runs/submitted-run.js";
import { isOver, lookAt, openRun } from "./open-run.js";

/** Speed is not told from less: a batch that ends would look like a sprint. */
const MIN_PACE_WINDOW_MS = 1_000;
/** Between two looks, where nobody has looked in the last minute. */
const SECOND_LOOK_MS = 2_000;

interface Look {
  readonly record: RunInfo;
  readonly status: RunStatus;
  readonly over: boolean;
  readonly pace: RunSpeed | undefined;
}

/**
 * All that there is to say about runs. Speed is told from two looks: one that is under way, and that
 * nobody has looked at in the last minute, is looked at twice.
 */
export async function reportRuns(redis: Redis, runs: readonly string[]): Promise<RunReport[]> {
  const looks = new Map<string, Look>();
  for (const run of runs) looks.set(run, await look(redis, run));
  const slow = [...looks].filter(([, { over, pace }]) => !over && pace === undefined);
  if (slow.length > 0) await sleep(SECOND_LOOK_MS);
  for (const [run] of slow) looks.set(run, await look(redis, run));
  return await Promise.all([...looks].map(async ([run, seen]) => await report(redis, run, seen)));
}

async function look(redis: Redis, run: string): Promise<Look> {
  const store = new RunStore(redis);
  const { tag } = await store.read(run);
  const parts = openRun(redis, tag);
  try {
    // Again, after the other connections: a run may end meanwhile, and must not seem to go on.
    const record = await store.read(run);
    const status = await lookAt(run, record, parts);
    const over = isOver(record, status);
    const pace = over
      ? undefined
      : speedOf(await store.sample(run, status.counts), MIN_PACE_WINDOW_MS);
    return { record, status, over, pace };
  } finally {
    await parts.queue.close();
  }
}

async function report(redis: Redis, run: string, seen: Look): Promise<RunReport> {
  const { record } = seen;
  const store = new RunStore(redis);
  const [owner, workers, waitingSinceMs, redisBytes] = await Promise.all([
    store.owner(run),
    listWorkers(redis, record.tag),
    oldestWaitingAtMs(redis, record.tag),
    runMemoryBytes(redis, store, run, record),
  ]);
  return reportOf({
    run,
    ...seen,
    // The rest of the lease's holder is random.
    owner: owner?.split(":").slice(0, 2).join(":"),
    oldestWaitingAtMs: waitingSinceMs,
    workers,
    redisBytes,
    nowMs: Date.now(),
  });
}
