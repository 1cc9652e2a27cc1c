import { setTimeout as sleep } from "node:timers/promises";
import { speedOf, type RunSpeed } from "../../core/run-speed.js";
import { oldestWaitingAtMs } from "../../redis/queue-age.js";
import { listWorkers } from "../../redis/worker-registry.js";
import { reportOf, type RunReport } from "../../runs/run-report.js";
import type { RunStatus } from "../../runs/run-status.js";
import type { Run } from "./run.js";
import type { Runs } from "./runs.js";

/** Speed is not told from less: a batch that ends would look like a sprint. */
const MIN_PACE_WINDOW_MS = 1_000;
/** Between two looks, if nobody has looked in the last minute. */
const SECOND_LOOK_MS = 2_000;

interface Look {
  readonly run: Run;
  readonly status: RunStatus;
  readonly pace: RunSpeed | undefined;
}

/**
 * All that there is to say about runs. Speed is told from two looks: one that is under way, and that
 * nobody has looked at in the last minute, is looked at twice.
 */
export async function reportRuns(runs: Runs, ids: readonly string[]): Promise<RunReport[]> {
  const looks = new Map<string, Look>();
  for (const id of ids) looks.set(id, await look(runs, await runs.open(id)));
  const slow = [...looks.values()].filter(({ status, pace }) => !status.over && pace === undefined);
  if (slow.length > 0) await sleep(SECOND_LOOK_MS);
  for (const { run } of slow) looks.set(run.id, await look(runs, run));
  return await Promise.all([...looks.values()].map(async (seen) => await report(runs, seen)));
}

async function look({ store }: Runs, run: Run): Promise<Look> {
  const status = await run.status();
  const pace = status.over
    ? undefined
    : speedOf(await store.sample(run.id, status.counts), MIN_PACE_WINDOW_MS);
  return { run, status, pace };
}

async function report({ redis, store }: Runs, { run, status, pace }: Look): Promise<RunReport> {
  const info = await store.read(run.id);
  const [owner, workers, waitingSinceMs, redisBytes] = await Promise.all([
    store.owner(run.id),
    listWorkers(redis, info.tag),
    oldestWaitingAtMs(redis, info.tag),
    run.memoryBytes(),
  ]);
  return reportOf({
    run: run.id,
    place: run.place,
    info,
    status,
    pace,
    // The rest of the lease's holder is random.
    owner: owner?.split(":").slice(0, 2).join(":"),
    oldestWaitingAtMs: waitingSinceMs,
    workers,
    redisBytes,
    nowMs: Date.now(),
  });
}
