import type { Spool, SpoolOutput } from "../../core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../core/record.js";
import { emptyCounts } from "../../core/run-counts.js";
import { checkRunId } from "../../redis/run-info.js";
import type { S3Bucket } from "./s3-bucket.js";
import { failedKey, outputKey, placeOf, recordsKey, removeAll, segmentsOf } from "./s3-keys.js";
import { S3Output } from "./s3-output.js";
import { wholeLines } from "./checked-lines.js";
import { linesBesideSums, putSummed, segmentLines, sumsKeyOf } from "./s3-sums.js";
import { SpoolDamage } from "./spool-damage.js";
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
 * a run that is open again has its output as its first segment. `records.sums` and `output.sums` hold
 * checksums of lines, and the first line of a segment those of its own: what does not fit is not believed.
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
    await putSummed(this.#bucket, recordsKey(run), asLines(records));
  }

  async has(run: string): Promise<boolean> {
    return (await this.#bucket.find(recordsKey(run))) !== undefined;
  }

  async countRecords(run: string): Promise<number> {
    return await countRecords(linesBesideSums(this.#bucket, recordsKey(run)));
  }

  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    yield* recordsOf(linesBesideSums(this.#bucket, recordsKey(run)), doneIds);
  }

  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const counts = emptyCounts();
    const damage = new SpoolDamage();
    const summed = await this.#isSummed(run);
    const doneIds = await countDone(this.#merged(run, summed, damage), counts);
    const place = { bucket: this.#bucket, run, fence, summed };
    const found = { counts, doneIds, damage: damage.lines };
    return new S3Output(place, found, () => this.#merged(run, summed));
  }

  async *rankings(run: string): AsyncGenerator<string, void, undefined> {
    yield* this.#merged(run, await this.#isSummed(run));
  }

  /** @param damage told what was left out */
  async *#merged(
    run: string,
    summed: boolean,
    damage?: SpoolDamage,
  ): AsyncGenerator<string, void, undefined> {
    const bucket = this.#bucket;
    const segments = await segmentsOf(bucket, run, ".jsonl");
    const output = outputKey(run);
    yield* mergeLines([
      wholeLines(linesBesideSums(bucket, output), output, damage, false),
      ...segments.map((segment) => segmentLines(bucket, segment, summed, damage)),
    ]);
  }

  async *failures(run: string): AsyncGenerator<RecordFailure, void, undefined> {
    const whole = await this.#bucket.find(failedKey(run));
    const segments = await segmentsOf(this.#bucket, run, ".failed");
    const newest = Math.max(...segments.map(({ key }) => placeOf(key).fence));
    const own = segments.filter(({ key }) => placeOf(key).fence === newest);
    for (const segment of whole === undefined ? own : [whole]) {
      yield* failuresOf(this.#bucket.lines(segment), segment.key);
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

  /** A run that version 0.1.0 put in has no sums, and no object of it has any. */
  async #isSummed(run: string): Promise<boolean> {
    return (await this.#bucket.find(sumsKeyOf(recordsKey(run)))) !== undefined;
  }
}
