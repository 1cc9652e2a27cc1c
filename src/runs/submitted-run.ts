import { toWireRequest } from "../core/contract.js";
import { RankmillError } from "../core/errors.js";
import type { JobEnd, NewJob } from "../core/job.js";
import type { RecordFailure, InputRecord } from "../core/record.js";
import type { JobQueue } from "../core/ports/job-queue.js";
import type { ResultStore } from "../core/ports/result-store.js";
import {
  addCounts,
  countFailure,
  countLine,
  emptyCounts,
  type RunCounts,
} from "../core/run-counts.js";
import { MAX_REQUEUES, reconcile } from "./reconcile.js";
import type { RunEntry, RunInfo, RunStore } from "../redis/run-store.js";

/** Lines of one chunk; its size in Redis is bounded by bytes as well. */
const CHUNK_ENTRIES = 200;
const CHUNK_BYTES = 4_194_304;

export interface RunParts {
  readonly store: RunStore;
  readonly queue: JobQueue;
  readonly results: ResultStore;
}

/** How a submitted run stands. */
export interface RunStatus {
  readonly total: number;
  readonly counts: RunCounts;
  /** Records that have not ended, by whether a worker has their job in hand. */
  readonly waiting: number;
  readonly active: number;
}

type JobEntry = Extract<RunEntry, { status: "job" }>;
type ValidRecord = Extract<InputRecord, { status: "valid" }>;

/** Under what name a run waits for its jobs. */
export function runOwner(run: string): string {
  return `run:${run}`;
}

/**
 * Enqueues all of `records` for `run`, chunk by chunk: the chunk is written first, so that a job in
 * the queue can always be traced to its line. Doing it again joins what is there.
 */
export async function submitRecords(
  run: string,
  record: RunInfo,
  records: AsyncIterable<InputRecord>,
  prepare: (record: ValidRecord) => NewJob,
  parts: RunParts,
  onChunk: (total: number) => void,
): Promise<RunInfo> {
  let entries: RunEntry[] = [];
  let bytes = 0;
  let chunks = 0;
  let total = 0;
  const send = async (): Promise<void> => {
    const jobs = entries.filter(isJob).map(({ job }) => job);
    await parts.store.writeChunk(run, chunks, entries, record.ttlSeconds);
    await parts.store.reopenChunk(run, chunks);
    chunks += 1;
    total += entries.length;
    await parts.store.update(run, { chunks, total });
    await checkGoesOn(run, parts.store);
    await parts.queue.enqueue(jobs, runOwner(run));
    entries = [];
    bytes = 0;
    onChunk(total);
  };
  for await (const item of records) {
    entries.push(
      item.status === "invalid"
        ? item
        : { status: "job", line: item.line, id: item.request.id, job: prepare(item) },
    );
    bytes += item.status === "valid" ? item.bytes : 0;
    if (entries.length >= CHUNK_ENTRIES || bytes >= CHUNK_BYTES) await send();
  }
  if (entries.length > 0) await send();
  await checkGoesOn(run, parts.store);
  const submitted = { ...record, state: "submitted", chunks, total } as const;
  await parts.store.update(run, submitted);
  return submitted;
}

/** @throws RankmillError `cancelled` where another has cancelled or purged the run meanwhile */
async function checkGoesOn(run: string, store: RunStore): Promise<void> {
  const state = (await store.find(run))?.state;
  if (state !== undefined && state !== "cancelled") return;
  throw new RankmillError("cancelled", `run ${run} was cancelled while it was being submitted`, {
    context: { run },
  });
}

/** Looks at every open chunk, closes those that are over, and counts. */
export async function statusOf(run: string, record: RunInfo, parts: RunParts): Promise<RunStatus> {
  const { store, queue, results } = parts;
  const closed = await store.closedChunks(run);
  const counts = emptyCounts();
  for (const one of closed.values()) addCounts(counts, one);
  const activeIds = await queue.activeIds();
  let active = 0;
  for (let chunk = 0; chunk < record.chunks; chunk += 1) {
    if (closed.has(chunk)) continue;
    const entries = await store.readChunk(run, chunk);
    const ended = await endedEntries(entries, record, results);
    const own = countEnded(ended);
    addCounts(counts, own);
    if (ended.every(({ record: end }) => end !== undefined)) {
      await store.closeChunk(run, chunk, own, record.ttlSeconds);
    }
    for (const { entry, record: end } of ended) {
      if (end === undefined && isJob(entry) && activeIds.has(entry.job.jobId)) active += 1;
    }
  }
  const open = record.total - counts.done - counts.failed;
  return { total: record.total, counts, waiting: open - active, active };
}

/**
 * Closes the chunks that are over; enqueues again what was lost, so that the run cannot wait for
 * ever, and records as failed what is lost again and again. Takes the first `maxChunks` open ones.
 */
export async function reconcileRun(
  run: string,
  record: RunInfo,
  parts: RunParts,
  maxChunks: number,
): Promise<void> {
  const { store, results } = parts;
  if (record.state === "cancelled") return;
  const closed = await store.closedChunks(run);
  const open = Array.from({ length: record.chunks }, (_, chunk) => chunk).filter(
    (chunk) => !closed.has(chunk),
  );
  for (const chunk of open.slice(0, maxChunks)) {
    const ended = await endedEntries(await store.readChunk(run, chunk), record, results);
    const waiting = ended.filter((one) => one.record === undefined).map(({ entry }) => entry);
    if (waiting.length > 0) await requeueLost(run, waiting.filter(isJob), record, parts);
    else await store.closeChunk(run, chunk, countEnded(ended), record.ttlSeconds);
  }
}

async function requeueLost(
  run: string,
  waiting: readonly JobEntry[],
  record: RunInfo,
  { store, queue, results }: RunParts,
): Promise<void> {
  const ids = waiting.map(({ job }) => job.jobId);
  const fates = await reconcile(ids, queue, results);
  const again: NewJob[] = [];
  for (const [i, { job }] of waiting.entries()) {
    if (fates[i]?.status !== "lost") continue;
    const times = await store.countLost(run, job.jobId, record.ttlSeconds);
    if (times <= MAX_REQUEUES) again.push(job);
    else await recordLost(job, times, results);
  }
  await queue.enqueue(again, runOwner(run));
  // Cancelled meanwhile: what it has taken out must not come back.
  if ((await store.find(run))?.state === "submitted") return;
  await queue.cancel(
    again.map(({ jobId }) => jobId),
    runOwner(run),
  );
}

async function recordLost(job: NewJob, times: number, results: ResultStore): Promise<void> {
  const started = await results.begin(job.jobId);
  if (started.status !== "begun") return;
  const message = `the job vanished from the queue ${times} times without a result`;
  const record = { status: "failed", code: "job_lost", message } as const;
  await results.commit(job.jobId, started.fence, record, job.envelope.ttlSeconds);
}

/** What became of one line. */
export type RunItem =
  | { readonly status: "done"; readonly line: string }
  | { readonly status: "failed"; readonly failure: RecordFailure }
  | { readonly status: "open" };

/** Every line of the run, in the order of the input. */
export async function* runItems(
  run: string,
  record: RunInfo,
  parts: RunParts,
): AsyncGenerator<RunItem, void, undefined> {
  for (let chunk = 0; chunk < record.chunks; chunk += 1) {
    const entries = await parts.store.readChunk(run, chunk);
    for (const { entry, record: end } of await endedEntries(entries, record, parts.results)) {
      if (!isJob(entry)) yield { status: "failed", failure: entry.failure };
      else if (end === undefined) yield { status: "open" };
      else if (end.status === "done") yield { status: "done", line: end.line };
      else yield { status: "failed", failure: failureOf(entry, end) };
    }
  }
}

/** Enqueues anew what failed or was cancelled. @returns records that are tried again */
export async function retryRun(run: string, record: RunInfo, parts: RunParts): Promise<number> {
  const { store, queue, results } = parts;
  const closed = await store.closedChunks(run);
  await store.update(run, { state: "submitted" });
  let retried = 0;
  for (let chunk = 0; chunk < record.chunks; chunk += 1) {
    if (closed.get(chunk)?.failed === 0) continue;
    const jobs = (await store.readChunk(run, chunk)).filter(isJob).map(({ job }) => job);
    const ids = jobs.map(({ jobId }) => jobId);
    const [records, states] = [await results.read(ids), await queue.states(ids)];
    const again = jobs.filter((_, i) => {
      const end = records[i];
      return end === undefined ? states[i] !== "queued" : end.status === "failed";
    });
    if (again.length === 0) continue;
    await store.reopenChunk(run, chunk);
    await queue.enqueue(again, runOwner(run));
    retried += again.length;
  }
  return retried;
}

interface EndedEntry {
  readonly entry: RunEntry;
  /** Undefined: not over. A line that was refused is over with its failure. */
  readonly record: JobEnd | undefined;
}

/** What a record of a cancelled run has come to that had not ended by then. */
const CANCELLED = {
  status: "failed",
  code: "cancelled",
  message: "the run was cancelled",
} as const satisfies JobEnd;

async function endedEntries(
  entries: readonly RunEntry[],
  record: RunInfo,
  results: ResultStore,
): Promise<EndedEntry[]> {
  const jobs = entries.filter(isJob);
  const records = await results.read(jobs.map(({ job }) => job.jobId));
  const byId = new Map(jobs.map(({ job }, i) => [job.jobId, records[i]]));
  return entries.map((entry) => {
    if (!isJob(entry)) {
      const { code, reason } = entry.failure;
      return { entry, record: { status: "failed", code, message: reason } };
    }
    const found = byId.get(entry.job.jobId);
    return { entry, record: found ?? (record.state === "cancelled" ? CANCELLED : undefined) };
  });
}

function countEnded(ended: readonly EndedEntry[]): RunCounts {
  const counts = emptyCounts();
  for (const { record } of ended) {
    if (record?.status === "done") countLine(record.line, counts);
    else if (record?.status === "failed") countFailure(record.code, counts);
  }
  return counts;
}

export function isJob(entry: RunEntry): entry is JobEntry {
  return entry.status === "job";
}

/** The records of a cancelled spooled run that had neither a ranking nor an error of their own. */
export async function* cancelledItems(
  records: AsyncIterable<InputRecord>,
  failedLines: ReadonlySet<number>,
): AsyncGenerator<RunItem, void, undefined> {
  for await (const record of records) {
    const { line } = record.status === "valid" ? record : record.failure;
    if (failedLines.has(line)) continue;
    const failure =
      record.status === "invalid"
        ? record.failure
        : {
            line,
            id: record.request.id,
            code: CANCELLED.code,
            reason: CANCELLED.message,
            input: toWireRequest(record.request),
          };
    yield { status: "failed", failure };
  }
}

function failureOf(
  entry: JobEntry,
  error: { readonly code: string; readonly message: string },
): RecordFailure {
  const request = entry.job.envelope.request ?? entry.job.payload ?? "null";
  const input = JSON.parse(request) as unknown;
  return { line: entry.line, id: entry.id, code: error.code, reason: error.message, input };
}
