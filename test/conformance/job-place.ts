/** One model's jobs, as those see them who keep to a port each: what the suites of these ports are run on. */
import type { NewJob } from "../../src/core/job.js";
import type { JobEndNotices } from "../../src/core/ports/job-end-notices.js";
import type { JobQueue } from "../../src/core/ports/job-queue.js";
import type { PayloadStore } from "../../src/core/ports/payload-store.js";
import type { ResultStore, Started } from "../../src/core/ports/result-store.js";
import { makeJob } from "../../src/redis/make-job.js";
import { FAILS } from "../support/gated-worker.js";

export const TTL_SECONDS = 1_000;

export interface JobPlace {
  readonly queue: JobQueue;
  readonly results: ResultStore;
  readonly notices: JobEndNotices;
  readonly payloads: PayloadStore;
  /** Workers take jobs from now on; they hold them until they are told to end some. */
  work(): Promise<{ readonly end: (jobs: number) => void }>;
  close(): Promise<void>;
}

/** Makes a place that no other test uses. */
export type MakeJobPlace = () => JobPlace | Promise<JobPlace>;

export interface JobTraits {
  /** Its payload does not travel in the job. */
  readonly large?: boolean;
  /** Workers make it fail for good. */
  readonly fails?: boolean;
  readonly ttlSeconds?: number;
}

export function jobOf(id: string, traits: JobTraits = {}): NewJob {
  const { large = false, fails = false, ttlSeconds = TTL_SECONDS } = traits;
  const documents = [{ text: large ? "x".repeat(40_000) : "d" }];
  return makeJob(
    { id, query: fails ? FAILS : "q", documents },
    { maxLength: 128, truncation: "only-second" },
    { priority: "bulk", ttlSeconds },
  );
}

export function idsOf(jobs: readonly NewJob[]): string[] {
  return jobs.map(({ jobId }) => jobId);
}

export function fenceOf(started: Started): number {
  if (started.status !== "begun") throw new Error(`the job is ${started.status}`);
  return started.fence;
}
