import type { Redis } from "ioredis";
import { bullJobKey, jobKeys, runKeys } from "./keys.js";
import type { RunInfo, RunStore } from "./run-store.js";

/** Jobs and chunks that are measured; what all take is reckoned from those. */
const MEASURED_JOBS = 100;
const MEASURED_CHUNKS = 10;

/**
 * What a run takes of Redis' memory: its own keys, and those of its jobs. Large runs are measured in
 * samples, so that asking stays cheap.
 *
 * @returns bytes; undefined where the server cannot tell
 */
export async function runMemoryBytes(
  redis: Redis,
  store: RunStore,
  run: string,
  record: RunInfo,
): Promise<number | undefined> {
  const chunks = evenly(record.chunks, MEASURED_CHUNKS);
  const jobs = await sampleJobs(store, run, record, chunks);
  const own = [
    runKeys.run(run),
    runKeys.closed(run),
    runKeys.lost(run),
    runKeys.owner(run),
    runKeys.ownerFence(run),
    runKeys.progress(run),
    runKeys.jobs(run),
    runKeys.samples(run),
    runKeys.lease(run),
  ];
  try {
    const [ownBytes, chunkBytes, jobBytes] = await Promise.all([
      usage(redis, own),
      usage(
        redis,
        chunks.map((chunk) => runKeys.chunk(run, chunk)),
      ),
      usage(
        redis,
        jobs.ids.flatMap((jobId) => keysOf(record.tag, jobId)),
      ),
    ]);
    return Math.round(
      ownBytes +
        scaled(chunkBytes, chunks.length, record.chunks) +
        scaled(jobBytes, jobs.ids.length, jobs.total),
    );
  } catch {
    // Not every server that speaks Redis' protocol knows MEMORY USAGE.
    return undefined;
  }
}

async function sampleJobs(
  store: RunStore,
  run: string,
  record: RunInfo,
  chunks: readonly number[],
): Promise<{ ids: readonly string[]; total: number }> {
  if (record.spooled === "yes") {
    return {
      ids: await store.someJobs(run, MEASURED_JOBS),
      total: await store.countJobs(run),
    };
  }
  const read = await Promise.all(chunks.map((chunk) => store.readChunk(run, chunk)));
  const ids = read.flat().flatMap((entry) => (entry.status === "job" ? [entry.job.jobId] : []));
  const total = scaled(ids.length, chunks.length, record.chunks);
  return { ids: evenly(ids.length, MEASURED_JOBS).map((at) => ids[at] ?? ""), total };
}

function keysOf(tag: string, jobId: string): string[] {
  const own = Object.values(jobKeys).map((key) => key(tag, jobId));
  return [...own, bullJobKey(tag, "bulk", jobId)];
}

async function usage(redis: Redis, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const asking = redis.pipeline();
  for (const key of keys) asking.memory("USAGE", key);
  const answers = (await asking.exec()) ?? [];
  return answers.reduce((sum, [error, bytes]) => {
    if (error !== null) throw error;
    return sum + (typeof bytes === "number" ? bytes : 0);
  }, 0);
}

/** @returns at most `most` places of `count`, spread evenly */
function evenly(count: number, most: number): number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

function scaled(sum: number, measured: number, all: number): number {
  return measured === 0 ? 0 : (sum / measured) * all;
}
