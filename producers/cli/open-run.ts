import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { RedisJobQueue } from "../../src/queue/redis-job-queue.js";
import { RedisResultStore } from "../../src/results/redis-result-store.js";
import { addCounts, emptyCounts } from "../../src/runs/manifest.js";
import { RunStore, type RunRecord } from "../../src/runs/run-store.js";
import { statusOf, type RunParts, type RunStatus } from "../../src/runs/submitted-run.js";
import { EXIT } from "./exit-codes.js";
import { Progress } from "./progress.js";

export interface OpenRun extends RunParts {
  readonly queue: RedisJobQueue;
}

/** What commands on a submitted run work with. */
export function openRun(redis: Redis, tag: string): OpenRun {
  return {
    store: new RunStore(redis),
    queue: new RedisJobQueue(redis, tag, DEFAULT_LIMITS.maxJobBytes),
    results: new RedisResultStore(redis, tag),
  };
}

const POLL_MS = 1_000;

/** How a run stands, as its owner last said or as its jobs say. */
export async function lookAt(run: string, record: RunRecord, parts: OpenRun): Promise<RunStatus> {
  if (record.spooled === "no") return await statusOf(run, record, parts);
  const { counts, active } = await parts.store.readProgress(run);
  const open = record.total - counts.done - counts.failed;
  if (record.state !== "cancelled") {
    return { total: record.total, counts, waiting: open - active, active };
  }
  const all = { ...counts, failedByCode: { ...counts.failedByCode } };
  addCounts(all, { ...emptyCounts(), failed: open, failedByCode: { cancelled: open } });
  return { total: record.total, counts: all, waiting: 0, active: 0 };
}

/** True where every record has ended, or never will. */
export function isOver(record: RunRecord, status: RunStatus): boolean {
  if (record.spooled === "yes") return record.state === "complete" || record.state === "cancelled";
  return record.state !== "submitting" && status.waiting === 0 && status.active === 0;
}

/** Shows progress until the run is over. @returns the exit code that says how it ended */
export async function waitForRun(run: string, parts: OpenRun): Promise<number> {
  let record = await parts.store.read(run);
  let status = await lookAt(run, record, parts);
  const progress = new Progress(process.stderr, () => ({ ...status.counts, total: status.total }));
  try {
    while (!isOver(record, status)) {
      await sleep(POLL_MS);
      record = await parts.store.read(run);
      status = await lookAt(run, record, parts);
    }
  } finally {
    progress.stop();
  }
  return status.counts.failed === 0 ? EXIT.ok : EXIT.someFailed;
}
