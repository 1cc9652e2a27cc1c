import type { Spool, SpoolOutput } from "../../core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../core/record.js";
import { emptyCounts } from "../../core/run-counts.js";
import { checkRunId } from "../../redis/run-info.js";
import { checkedLines } from "./checked-lines.js";
import type { S3Bucket } from "./s3-bucket.js";
import { failedKey, outputKey, placeOf, recordsKey, removeAll, segmentsOf } from "./s3-keys.js";
import { S3Output } from "./s3-output.js";
import {
  asLines,
  countDone,
  countRecords,
  failuresOf,
  mergeLines,
  recordsOf,
} from "./spool-lines.js";

/**
 * A spool in an S3-compatible bucket.
 *
 * `RUN/records.jsonl` is uploaded in parts and there once it is whole. Nothing can be appended to an
 * object: `RUN/rankings/FENCE-NUMBER.jsonl` are what one owner of the run wrote, a few hundred rankings
 * each, and `….failed` its failures. A ranking counts as done, and its job is released in Redis, once
 * its object is stored. `RUN/output.jsonl` and `RUN/failed.jsonl` are made of those when the run is over;
 * a run that is open again has its output as its first segment. Objects have no checksums of ours: the
 * store checks its own.
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
    // The object may be missing: any answer says that bucket and credentials are right.
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
    return await countRecords(checkedLines(this.#lines(recordsKey(run)), undefined));
  }

  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    yield* recordsOf(checkedLines(this.#lines(recordsKey(run)), undefined), doneIds);
  }

  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const counts = emptyCounts();
    const doneIds = await countDone(this.rankings(run), counts);
    const place = { bucket: this.#bucket, run, fence };
    return new S3Output(place, counts, doneIds, () => this.rankings(run));
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
      yield* failuresOf(this.#bucket.lines(segment));
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
