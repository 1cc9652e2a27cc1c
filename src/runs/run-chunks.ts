import type { JobEnd, NewJob } from "../core/job.js";
import type { ResultStore } from "../core/ports/result-store.js";
import type { RecordFailure } from "../core/record.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "../core/run-counts.js";
import type { RunEntry, RunInfo } from "../redis/run-info.js";
import { CANCELLED, type RunItem } from "./run-item.js";

export type JobEntry = Extract<RunEntry, { status: "job" }>;

/** A line of a chunk with its end, if it has one. */
export interface EndedEntry {
  readonly entry: RunEntry;
  /** Undefined: not over. A line that was refused is over with its failure. */
  readonly end: JobEnd | undefined;
}

export function isJob(entry: RunEntry): entry is JobEntry {
  return entry.status === "job";
}

export function jobsOf(entries: readonly RunEntry[]): NewJob[] {
  return entries.filter(isJob).map(({ job }) => job);
}

/** Asks what has become of each entry, in order. */
export async function endedEntries(
  entries: readonly RunEntry[],
  info: RunInfo,
  results: ResultStore,
): Promise<EndedEntry[]> {
  const jobs = jobsOf(entries);
  const ends = await results.read(jobs.map(({ jobId }) => jobId));
  const byId = new Map(jobs.map(({ jobId }, i) => [jobId, ends[i]]));
  return entries.map((entry) => {
    if (!isJob(entry)) {
      const { code, reason } = entry.failure;
      return { entry, end: { status: "failed", code, message: reason } };
    }
    const found = byId.get(entry.job.jobId);
    return { entry, end: found ?? (info.state === "cancelled" ? CANCELLED : undefined) };
  });
}

export function countEnded(ended: readonly EndedEntry[]): RunCounts {
  const counts = emptyCounts();
  for (const { end } of ended) {
    if (end?.status === "done") countLine(end.line, counts);
    else if (end?.status === "failed") countFailure(end.code, counts);
  }
  return counts;
}

export function itemOf({ entry, end }: EndedEntry): RunItem {
  if (!isJob(entry)) return { status: "failed", failure: entry.failure };
  if (end === undefined) return { status: "open" };
  if (end.status === "done") return { status: "done", line: end.line };
  return { status: "failed", failure: failureOf(entry, end) };
}

function failureOf(
  entry: JobEntry,
  error: { readonly code: string; readonly message: string },
): RecordFailure {
  const request = entry.job.envelope.request ?? entry.job.payload ?? "null";
  const input = JSON.parse(request) as unknown;
  return { line: entry.line, id: entry.id, code: error.code, reason: error.message, input };
}
