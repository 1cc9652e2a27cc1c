import { bullJobKey, jobKeys, runKeys } from "./keys.js";
import type { RunInfo } from "./run-info.js";
import type { RunStore } from "./run-store.js";
import type { RedisClient } from "./redis-client.js";

/** Jobs and chunks that are measured; what all take is reckoned from those. */
const MEASURED_JOBS = 100;
const MEASURED_CHUNKS = 10;

/** Some of a run's jobs that are in Redis, to be measured. */
export interface JobSample {
  readonly ids: readonly string[];
  /** Jobs for which the sample stands. */
  readonly total: number;
}

/**
 * The memory that a run takes in Redis: its own keys, and those of its jobs. Large runs are measured in
 * samples, so that asking stays cheap.
 *
 * @returns bytes; undefined if the server cannot tell
 */
export async function runMemoryBytes(
  redis: RedisClient,
  run: string,
  info: RunInfo,
  jobs: JobSample,
): Promise<number | undefined> {
  const { chunk, ...others } = runKeys;
  const chunks = evenly(info.chunks, MEASURED_CHUNKS);
  const own = Object.values(others).map((key) => key(run));
  const chunkKeys = chunks.map((at) => chunk(run, at));
  const jobOwnKeys = jobs.ids.flatMap((jobId) => jobKeysOf(info.tag, jobId));
  try {
    const [ownBytes, chunkBytes, jobBytes] = await Promise.all(
      [own, chunkKeys, jobOwnKeys].map(async (keys) => await usage(redis, keys)),
    );
    return Math.round(
      (ownBytes ?? 0) +
        scaled(chunkBytes ?? 0, chunks.length, info.chunks) +
        scaled(jobBytes ?? 0, jobs.ids.length, jobs.total),
    );
  } catch {
    // Some servers that speak Redis' protocol do not know MEMORY USAGE.
    return undefined;
  }
}

/** A sample of the jobs of a run whose lines lie in chunks. */
export async function sampleChunkJobs(
  store: RunStore,
  run: string,
  info: RunInfo,
): Promise<JobSample> {
  const chunks = evenly(info.chunks, MEASURED_CHUNKS);
  const read = await Promise.all(chunks.map((chunk) => store.readChunk(run, chunk)));
  const ids = read.flat().flatMap((entry) => (entry.status === "job" ? [entry.job.jobId] : []));
  const total = scaled(ids.length, chunks.length, info.chunks);
  return { ids: evenly(ids.length, MEASURED_JOBS).map((at) => ids[at] ?? ""), total };
}

/** A sample of the jobs of a run whose jobs in flight are written down. */
export async function sampleTrackedJobs(store: RunStore, run: string): Promise<JobSample> {
  return { ids: await store.someJobs(run, MEASURED_JOBS), total: await store.countJobs(run) };
}

function jobKeysOf(tag: string, jobId: string): string[] {
  const own = Object.values(jobKeys).map((key) => key(tag, jobId));
  return [...own, bullJobKey(tag, "bulk", jobId)];
}

async function usage(redis: RedisClient, keys: readonly string[]): Promise<number> {
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
