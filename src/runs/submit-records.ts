import { RankmillError } from "../core/errors.js";
import type { NewJob } from "../core/job.js";
import type { InputRecord, ValidRecord } from "../core/record.js";
import type { RunEntry, RunInfo } from "../redis/run-info.js";
import type { RunStore } from "../redis/run-store.js";
import { jobsOf } from "./run-chunks.js";
import { runOwner, type RunParts } from "./run-parts.js";

/** Lines of one chunk; its size in Redis is bounded by bytes as well. */
const CHUNK_ENTRIES = 200;
const CHUNK_BYTES = 4_194_304;

/**
 * Enqueues all of `records` for `run`, chunk by chunk: the chunk is written first, so that a job in
 * the queue can always be traced to its line. Doing it again joins what is there.
 *
 * @returns records taken in
 */
export async function submitRecords(
  run: string,
  info: RunInfo,
  records: AsyncIterable<InputRecord>,
  prepare: (record: ValidRecord) => NewJob,
  parts: RunParts,
  onChunk: (total: number) => void,
): Promise<number> {
  let chunks = 0;
  let total = 0;
  for await (const entries of inChunks(records, prepare)) {
    await parts.store.writeChunk(run, chunks, entries, info.ttlSeconds);
    await parts.store.reopenChunk(run, chunks);
    chunks += 1;
    total += entries.length;
    await parts.store.update(run, { chunks, total });
    await checkGoesOn(run, parts.store);
    await parts.queue.enqueue(jobsOf(entries), runOwner(run));
    onChunk(total);
  }
  await checkGoesOn(run, parts.store);
  await parts.store.update(run, { ...info, state: "submitted", chunks, total });
  return total;
}

async function* inChunks(
  records: AsyncIterable<InputRecord>,
  prepare: (record: ValidRecord) => NewJob,
): AsyncGenerator<RunEntry[], void, undefined> {
  let entries: RunEntry[] = [];
  let bytes = 0;
  for await (const item of records) {
    entries.push(
      item.status === "invalid"
        ? item
        : { status: "job", line: item.line, id: item.request.id, job: prepare(item) },
    );
    bytes += item.status === "valid" ? item.bytes : 0;
    if (entries.length < CHUNK_ENTRIES && bytes < CHUNK_BYTES) continue;
    yield entries;
    entries = [];
    bytes = 0;
  }
  if (entries.length > 0) yield entries;
}

/** @throws RankmillError `cancelled` if another has cancelled or purged the run meanwhile */
async function checkGoesOn(run: string, store: RunStore): Promise<void> {
  const state = (await store.find(run))?.state;
  if (state !== undefined && state !== "cancelled") return;
  throw new RankmillError("cancelled", `run ${run} was cancelled while it was being submitted`, {
    context: { run },
  });
}
