import { setTimeout as sleep } from "node:timers/promises";
import type { SpoolOutput } from "../../core/ports/spool.js";
import type { RecordFailure } from "../../core/record.js";
import { asText, Collector } from "../collector.js";
import type { S3Bucket } from "./s3-bucket.js";
import {
  concatenated,
  failedKey,
  outputKey,
  placeOf,
  removeAll,
  SEGMENTS,
  segmentsOf,
  type SegmentEnding,
} from "./s3-keys.js";
import { putSummed, summedText } from "./s3-sums.js";
import { summedFailures } from "./spool-lines.js";

/** This many rankings, or bytes of them, are an object at once; fewer wait for more. */
const FULL_LINES = 100;
const FULL_BYTES = 4_194_304;
/**
 * The time for which the first of a few rankings waits: a slow run must not become one object per
 * ranking.
 */
const LINGER_MS = 1_000;

/** The place of what one owner of a run writes. */
export interface S3OutputPlace {
  readonly bucket: S3Bucket;
  readonly run: string;
  readonly fence: number;
  /** Whether the run has sums, and so all that is written of it. */
  readonly summed: boolean;
}

/**
 * The objects of one owner of a run. The part that is not stored yet is as much as one round of the
 * collector brings.
 */
export class S3Output extends Collector implements SpoolOutput {
  readonly doneIds: ReadonlySet<string>;
  readonly damage: readonly string[];
  readonly #bucket: S3Bucket;
  readonly #run: string;
  readonly #fence: number;
  readonly #summed: boolean;
  readonly #all: () => AsyncIterable<string>;
  #lines: string[] = [];
  #lineBytes = 0;
  #failures = "";
  #number = 0;
  #storedAtMs = -Infinity;

  /** @param all the run's rankings so far, each record's once */
  constructor(
    place: S3OutputPlace,
    found: Pick<SpoolOutput, "counts" | "doneIds" | "damage">,
    all: () => AsyncIterable<string>,
  ) {
    super(found.counts);
    this.damage = found.damage;
    this.#summed = place.summed;
    this.#bucket = place.bucket;
    this.#run = place.run;
    this.#fence = place.fence;
    this.doneIds = found.doneIds;
    this.#all = all;
  }

  protected async append(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#lineBytes += line.length;
    this.#lines.push(...lines);
    await Promise.resolve();
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    this.#failures += summedFailures(failures);
    if (this.#failures.length >= FULL_BYTES) await this.sync();
  }

  /** Waits before the turn of other writes, not in it: a failure must not wait for more rankings. */
  override async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    if (this.#lines.length < FULL_LINES && this.#lineBytes < FULL_BYTES) {
      const waitMs = this.#storedAtMs + LINGER_MS - performance.now();
      if (waitMs > 0) await sleep(waitMs);
    }
    await super.flush();
  }

  protected async sync(): Promise<void> {
    const lines = this.#lines;
    const failures = this.#failures;
    this.#lines = [];
    this.#lineBytes = 0;
    this.#failures = "";
    if (failures !== "") await this.#putSegment(".failed", failures);
    if (lines.length === 0) return;
    await this.#putSegment(".jsonl", this.#summed ? summedText(lines) : asText(lines));
    this.#storedAtMs = performance.now();
  }

  async close(complete: boolean): Promise<void> {
    await super.flush();
    if (!complete) return;
    const bucket = this.#bucket;
    const failed = (await segmentsOf(bucket, this.#run, ".failed")).filter(
      ({ key }) => placeOf(key).fence === this.#fence,
    );
    // Failures before the output: if there is an output, the run is over.
    await bucket.putLines(failedKey(this.#run), concatenated(bucket, failed));
    if (this.#summed) await putSummed(bucket, outputKey(this.#run), this.#all());
    else await bucket.putLines(outputKey(this.#run), this.#all());
    await removeAll(bucket, await bucket.list(`${this.#run}/${SEGMENTS}/`));
  }

  async #putSegment(ending: SegmentEnding, text: string): Promise<void> {
    this.#number += 1;
    const key = `${this.#run}/${SEGMENTS}/${this.#fence}-${this.#number}${ending}`;
    await this.#bucket.put(key, text);
  }
}
