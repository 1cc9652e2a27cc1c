import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { MIN_PACE_SPAN_MS, speedOf, type SpeedSample } from "../../core/run-speed.js";
import type { RunInfo } from "../../redis/run-info.js";
import { reconcileRun } from "../../runs/reconcile-run.js";
import type { RunParts } from "../../runs/run-parts.js";

const INTERVAL_MS = 5_000;
/** Others leave a run alone for this long after one has looked at it. */
const LEASE_MS = 4_000;
/** Chunks looked at in one turn; a run longer than that moves on as its first chunks close. */
const MAX_CHUNKS = 20;

/**
 * Watches the submitted runs of one model, so that none can wait for ever on a job that vanished.
 * Every worker keeps; a lease sees to it that one does at a time.
 */
export async function reconcileRuns(
  tag: string,
  parts: RunParts,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const holder = randomUUID();
  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      await keepOnce(tag, holder, parts);
    } catch (error) {
      logger.warn({ err: error }, "looking after submitted runs failed; trying again");
    }
  }
}

/** One turn. */
async function keepOnce(tag: string, holder: string, parts: RunParts): Promise<void> {
  for (const run of (await parts.store.index.open(tag)).keys()) {
    if (!(await parts.store.lease(run, holder, LEASE_MS))) continue;
    const info = await parts.store.find(run);
    if (info?.state === "submitted") await tend(run, info, parts);
  }
}

async function tend(run: string, info: RunInfo, parts: RunParts): Promise<void> {
  const found = await reconcileRun(run, info, parts, MAX_CHUNKS);
  if (found === undefined) return;
  const { counts, isWhole, over } = found;
  const { store } = parts;
  const sample = async (): Promise<SpeedSample[]> =>
    await store.sample(run, counts, isWhole ? "all" : "part");
  const speed = over ? undefined : speedOf(await sample(), MIN_PACE_SPAN_MS);
  await store.history.note(run, { total: info.total, counts, speed, isLast: over });
}
