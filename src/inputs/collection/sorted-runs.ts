import { open, rm, type FileHandle } from "node:fs/promises";
import { readExactly, readRecord, RECORD_BYTES, writeRecord } from "./corpus-index-file.js";
import type { IndexRecord } from "./corpus-index-file.js";

/** Records sorted in memory at a time, in one go of some 20 ms: the event loop waits for it. */
const RECORDS_A_RUN = 32_768;
/** Shared by the runs while they are merged. */
const MERGE_BUFFER_BYTES = 8 * 1024 * 1024;
const MIN_RUN_BUFFER_RECORDS = 64;

/**
 * Sorts more records by hash than fit into memory: sorted runs in one temporary file, merged as
 * they are read back. Memory: one run and `MERGE_BUFFER_BYTES`, and 1 KiB for each run beyond 8,192
 * of them (a quarter of a billion records).
 *
 * States: *filling* (`add`) until `sorted` is called, *merging* afterwards; `close` ends either and
 * removes the file.
 */
export class SortedRuns {
  private readonly path: string;
  private readonly file: FileHandle;
  private pending: IndexRecord[] = [];
  /** Records of each run that is in the file; all but the last are full. */
  private readonly runs: number[] = [];

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.file = file;
  }

  static async create(path: string): Promise<SortedRuns> {
    return new SortedRuns(path, await open(path, "wx+"));
  }

  get length(): number {
    return this.runs.reduce((sum, records) => sum + records, this.pending.length);
  }

  /** True if `flush` must be awaited before the next `add`: a promise per record would cost more. */
  get isFull(): boolean {
    return this.pending.length >= RECORDS_A_RUN;
  }

  add(record: IndexRecord): void {
    this.pending.push(record);
  }

  async flush(): Promise<void> {
    if (this.pending.length === 0) return;
    this.pending.sort((a, b) => a.hash - b.hash);
    const bytes = Buffer.allocUnsafe(this.pending.length * RECORD_BYTES);
    this.pending.forEach((record, index) => writeRecord(record, bytes, index * RECORD_BYTES));
    const position = this.runs.length * RECORDS_A_RUN * RECORD_BYTES;
    await this.file.write(bytes, 0, bytes.length, position);
    this.runs.push(this.pending.length);
    this.pending = [];
  }

  /** All records by hash, in batches. */
  async *sorted(): AsyncGenerator<IndexRecord[], void, undefined> {
    await this.flush();
    const share = Math.floor(MERGE_BUFFER_BYTES / RECORD_BYTES / Math.max(1, this.runs.length));
    const bufferRecords = Math.max(MIN_RUN_BUFFER_RECORDS, share);
    const heap: RunCursor[] = [];
    for (const [index, records] of this.runs.entries()) {
      const cursor = new RunCursor(this.file, index * RECORDS_A_RUN, records, bufferRecords);
      await cursor.fill();
      pushCursor(heap, cursor);
    }
    let batch: IndexRecord[] = [];
    for (let least = heap[0]; least !== undefined; least = heap[0]) {
      batch.push(least.head);
      if (batch.length >= RECORDS_A_RUN) {
        yield batch;
        batch = [];
      }
      least.advance();
      if (least.isEmpty) await least.fill();
      if (least.isEmpty) {
        const last = heap.pop();
        if (last !== undefined && last !== least) heap[0] = last;
      }
      siftDown(heap);
    }
    if (batch.length > 0) yield batch;
  }

  async close(): Promise<void> {
    await this.file.close();
    await rm(this.path, { force: true });
  }
}

/** The place in one run up to which it was merged. */
class RunCursor {
  head: IndexRecord = { hash: 0, offset: 0, length: 0, sum: 0 };
  isEmpty = true;
  private readonly file: FileHandle;
  private readonly bufferRecords: number;
  private next: number;
  private left: number;
  private buffer: Buffer = Buffer.alloc(0);
  private position = 0;

  constructor(file: FileHandle, first: number, records: number, bufferRecords: number) {
    this.file = file;
    this.next = first;
    this.left = records;
    this.bufferRecords = bufferRecords;
  }

  /** Reads the next stretch of the run; `isEmpty` stays true at its end. */
  async fill(): Promise<void> {
    const records = Math.min(this.left, this.bufferRecords);
    if (records === 0) return;
    const bytes = records * RECORD_BYTES;
    this.buffer = await readExactly(this.file, this.next * RECORD_BYTES, bytes);
    this.next += records;
    this.left -= records;
    this.position = 0;
    this.head = readRecord(this.buffer, 0);
    this.isEmpty = false;
  }

  advance(): void {
    this.position += RECORD_BYTES;
    this.isEmpty = this.position >= this.buffer.length;
    if (!this.isEmpty) this.head = readRecord(this.buffer, this.position);
  }
}

function pushCursor(heap: RunCursor[], cursor: RunCursor): void {
  let index = heap.length;
  heap.push(cursor);
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || parent.head.hash <= cursor.head.hash) return;
    heap[index] = parent;
    heap[parentIndex] = cursor;
    index = parentIndex;
  }
}

/** Moves the first cursor down to its place: the one operation of a merge. */
function siftDown(heap: RunCursor[]): void {
  const cursor = heap[0];
  if (cursor === undefined) return;
  let index = 0;
  for (;;) {
    const leftIndex = 2 * index + 1;
    const left = heap[leftIndex];
    if (left === undefined) return;
    const right = heap[leftIndex + 1];
    const useRight = right !== undefined && right.head.hash < left.head.hash;
    const child = useRight ? right : left;
    if (cursor.head.hash <= child.head.hash) return;
    const childIndex = useRight ? leftIndex + 1 : leftIndex;
    heap[index] = child;
    heap[childIndex] = cursor;
    index = childIndex;
  }
}
