import { setTimeout as sleep } from "node:timers/promises";
import { MIN_PACE_SPAN_MS, speedOf, type RunSpeed } from "../../core/run-speed.js";
import { oldestWaitingAtMs } from "../../redis/queue-age.js";
import { listWorkers } from "../../redis/worker-registry.js";
import { reportOf, type RunReport } from "../../runs/run-report.js";
import type { RunStatus } from "../../runs/run-status.js";
import type { Run } from "./run.js";
import type { Runs } from "./runs.js";

/** The time between two measurements, if nobody has asked in the last minute. */
const SECOND_MEASUREMENT_MS = 2_000;

interface Measured {
  readonly run: Run;
  readonly status: RunStatus;
  readonly pace: RunSpeed | undefined;
}

/**
 * Reports all there is to say about runs. Speed takes two measurements: a run that is under way, and
 * that nobody has asked for in the last minute, is measured twice.
 *
 * @param options without `measuresTwice` the answer comes at once, and such a run has no speed yet
 */
export async function reportRuns(
  runs: Runs,
  ids: readonly string[],
  { measuresTwice = true }: { readonly measuresTwice?: boolean } = {},
): Promise<RunReport[]> {
  const measured = new Map<string, Measured>();
  for (const id of ids) measured.set(id, await measure(runs, await runs.open(id)));
  const slow = [...measured.values()].filter(
    ({ status, pace }) => !status.over && pace === undefined,
  );
  if (slow.length > 0 && measuresTwice) await sleep(SECOND_MEASUREMENT_MS);
  for (const { run } of measuresTwice ? slow : []) measured.set(run.id, await measure(runs, run));
  return await Promise.all([...measured.values()].map(async (one) => await report(runs, one)));
}

async function measure({ store }: Runs, run: Run): Promise<Measured> {
  const status = await run.status();
  const pace = status.over
    ? undefined
    : speedOf(await store.sample(run.id, status.counts), MIN_PACE_SPAN_MS);
  return { run, status, pace };
}

async function report({ redis, store }: Runs, { run, status, pace }: Measured): Promise<RunReport> {
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
