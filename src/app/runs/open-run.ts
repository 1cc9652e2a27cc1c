import type { Redis } from "ioredis";
import { DEFAULT_LIMITS } from "../../core/contract.js";
import { RedisJobQueue } from "../../redis/redis-job-queue.js";
import { RedisResultStore } from "../../redis/redis-result-store.js";
import { addCounts, emptyCounts } from "../../core/run-counts.js";
import { RunStore, type RunInfo } from "../../redis/run-store.js";
import { statusOf, type RunParts, type RunStatus } from "../../runs/submitted-run.js";

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

/** How a run stands, as its owner last said or as its jobs say. */
export async function lookAt(run: string, record: RunInfo, parts: OpenRun): Promise<RunStatus> {
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
export function isOver(record: RunInfo, status: RunStatus): boolean {
  if (record.spooled === "yes") return record.state === "complete" || record.state === "cancelled";
  return record.state !== "submitting" && status.waiting === 0 && status.active === 0;
}
