import { setTimeout as sleep } from "node:timers/promises";
import type { RecordFailure, InputRecord } from "../../core/record.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "../../core/run-counts.js";
import { checkRunId } from "../../redis/run-store.js";
import type { S3Bucket, S3Entry } from "./s3-bucket.js";
import { asLines, countDone, mergeLines, recordsOf } from "./spool-lines.js";
import type { Spool, SpoolOutput } from "../../core/ports/spool.js";

/** This many rankings, or bytes of them, are an object at once; fewer wait for more. */
const FULL_LINES = 100;
const FULL_BYTES = 4_194_304;
/** How long the first of a few rankings waits: a slow run must not become an object a ranking. */
const LINGER_MS = 1_000;

/**
 * A spool in an S3-compatible bucket.
 *
 * `RUN/records.jsonl` is uploaded in parts and there once it is whole. Nothing can be appended to an
 * object: `RUN/rankings/FENCE-NUMBER.jsonl` are what one owner of the run wrote, a few hundred rankings
 * each, and `….failed` its failures. A ranking counts as done, and its job is released in Redis, once
 * its object is stored. `RUN/output.jsonl` and `RUN/failed.jsonl` are made of those when the run is over;
 * a run that is open again has its output as its first segment.
 */
export class S3Spool implements Spool {
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  get name(): string {
    return this.#bucket.name;
  }

  async check(): Promise<void> {
    // Whether it is there is no matter: an answer says that bucket and credentials are right.
    await this.#bucket.find("any-run");
  }

  async put(run: string, records: AsyncIterable<InputRecord>): Promise<void> {
    if (await this.has(run)) return;
    await this.#bucket.putLines(recordsKey(run), asLines(records));
  }

  async has(run: string): Promise<boolean> {
    return (await this.#bucket.find(recordsKey(run))) !== undefined;
  }

  async countRecords(run: string): Promise<number> {
    let count = 0;
    for await (const _ of this.#lines(recordsKey(run))) count += 1;
    return count;
  }

  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    yield* recordsOf(this.#lines(recordsKey(run)), doneIds);
  }

  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const counts = emptyCounts();
    const doneIds = await countDone(this.rankings(run), counts);
    return new S3Output(this.#bucket, run, fence, counts, doneIds, () => this.rankings(run));
  }

  async *rankings(run: string): AsyncGenerator<string, void, undefined> {
    const segments = await segmentsOf(this.#bucket, run, ".jsonl");
    const output = await this.#bucket.find(outputKey(run));
    const all = output === undefined ? segments : [output, ...segments];
    yield* mergeLines(all.map((segment) => this.#bucket.lines(segment)));
  }

  async *failures(run: string): AsyncGenerator<RecordFailure, void, undefined> {
    const whole = await this.#bucket.find(failedKey(run));
    const segments = await segmentsOf(this.#bucket, run, ".failed");
    const newest = Math.max(...segments.map(({ key }) => placeOf(key).fence));
    const own = segments.filter(({ key }) => placeOf(key).fence === newest);
    for (const segment of whole === undefined ? own : [whole]) {
      for await (const line of this.#bucket.lines(segment)) yield JSON.parse(line) as RecordFailure;
    }
  }

  async reopen(run: string): Promise<void> {
    await this.#bucket.remove(failedKey(run));
  }

  async remove(run: string): Promise<void> {
    // Records last: while they are there, what is left of a removal that broke off can be found.
    const all = await this.#bucket.list(`${checkRunId(run)}/`);
    const first = all.filter(({ key }) => key !== recordsKey(run));
    await removeAll(this.#bucket, first);
    await this.#bucket.remove(recordsKey(run));
  }

  async *#lines(key: string): AsyncGenerator<string, void, undefined> {
    const entry = await this.#bucket.find(key);
    if (entry !== undefined) yield* this.#bucket.lines(entry);
  }
}

/** What one owner writes. */
class S3Output implements SpoolOutput {
  readonly counts: RunCounts;
  readonly doneIds: ReadonlySet<string>;
  readonly #bucket: S3Bucket;
  readonly #run: string;
  readonly #fence: number;
  readonly #all: () => AsyncIterable<string>;
  /** Not stored yet; as many as one round of the collector brings. */
  #lines: string[] = [];
  #lineBytes = 0;
  #failures: string[] = [];
  #failureBytes = 0;
  #number = 0;
  #storedAtMs = -Infinity;
  /** The upload that is under way: reader and collector both report failures. */
  #storing: Promise<void> = Promise.resolve();

  constructor(
    bucket: S3Bucket,
    run: string,
    fence: number,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
    all: () => AsyncIterable<string>,
  ) {
    this.#bucket = bucket;
    this.#run = run;
    this.#fence = fence;
    this.counts = counts;
    this.doneIds = doneIds;
    this.#all = all;
  }

  async write(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#lineBytes += line.length;
    this.#lines.push(...lines);
    await Promise.resolve();
  }

  async fail(failures: readonly RecordFailure[]): Promise<void> {
    for (const failure of failures) {
      const line = JSON.stringify(failure);
      this.#failures.push(line);
      this.#failureBytes += line.length;
      countFailure(failure.code, this.counts);
    }
    if (this.#failureBytes >= FULL_BYTES) await this.#store();
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    if (this.#lines.length < FULL_LINES && this.#lineBytes < FULL_BYTES) {
      const waitMs = this.#storedAtMs + LINGER_MS - performance.now();
      if (waitMs > 0) await sleep(waitMs);
    }
    await this.#store();
  }

  async close(complete: boolean): Promise<void> {
    await this.#store();
    if (!complete) return;
    const bucket = this.#bucket;
    const failed = (await segmentsOf(bucket, this.#run, ".failed")).filter(
      ({ key }) => placeOf(key).fence === this.#fence,
    );
    // Failures before the output: where there is an output, the run is over.
    await bucket.putLines(failedKey(this.#run), concatenated(bucket, failed));
    await bucket.putLines(outputKey(this.#run), this.#all());
    await removeAll(bucket, await bucket.list(`${this.#run}/${SEGMENTS}/`));
  }

  async #store(): Promise<void> {
    const storing = this.#storing.then(async () => {
      const lines = this.#lines;
      const failures = this.#failures;
      this.#lines = [];
      this.#lineBytes = 0;
      this.#failures = [];
      this.#failureBytes = 0;
      if (failures.length > 0) await this.#putSegment(".failed", failures);
      if (lines.length === 0) return;
      await this.#putSegment(".jsonl", lines);
      for (const line of lines) countLine(line, this.counts);
      this.#storedAtMs = performance.now();
    });
    this.#storing = storing.catch(() => {});
    await storing;
  }

  async #putSegment(ending: SegmentEnding, lines: readonly string[]): Promise<void> {
    this.#number += 1;
    const key = `${this.#run}/${SEGMENTS}/${this.#fence}-${this.#number}${ending}`;
    await this.#bucket.put(key, `${lines.join("\n")}\n`);
  }
}

const SEGMENTS = "rankings";
type SegmentEnding = ".jsonl" | ".failed";

function recordsKey(run: string): string {
  return `${checkRunId(run)}/records.jsonl`;
}

function outputKey(run: string): string {
  return `${checkRunId(run)}/output.jsonl`;
}

function failedKey(run: string): string {
  return `${checkRunId(run)}/failed.jsonl`;
}

/** Owner and number of a segment, by its key. */
function placeOf(key: string): { fence: number; number: number } {
  const [fence = "0", number = "0"] = key.slice(key.lastIndexOf("/") + 1).split("-");
  return { fence: Number.parseInt(fence, 10), number: Number.parseInt(number, 10) };
}

/** What each owner wrote, in order of fences and numbers. */
async function segmentsOf(
  bucket: S3Bucket,
  run: string,
  ending: SegmentEnding,
): Promise<S3Entry[]> {
  const found = await bucket.list(`${checkRunId(run)}/${SEGMENTS}/`);
  return found
    .filter(({ key }) => key.endsWith(ending))
    .map((entry) => ({ entry, place: placeOf(entry.key) }))
    .sort((a, b) => a.place.fence - b.place.fence || a.place.number - b.place.number)
    .map(({ entry }) => entry);
}

async function* concatenated(
  bucket: S3Bucket,
  segments: readonly S3Entry[],
): AsyncGenerator<string, void, undefined> {
  for (const segment of segments) yield* bucket.lines(segment);
}

/** One by one would take minutes for a run of thousands of segments. */
const REMOVED_AT_ONCE = 16;

async function removeAll(bucket: S3Bucket, entries: readonly S3Entry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += REMOVED_AT_ONCE) {
    await Promise.all(entries.slice(at, at + REMOVED_AT_ONCE).map(({ key }) => bucket.remove(key)));
  }
}
