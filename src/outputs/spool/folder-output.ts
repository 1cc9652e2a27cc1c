import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { SpoolOutput } from "../../core/ports/spool.js";
import type { RecordFailure } from "../../core/record.js";
import { emptyCounts, type RunCounts } from "../../core/run-counts.js";
import { asText, Collector } from "../collector.js";
import { sumCell } from "./checked-lines.js";
import { mergedLines, sumsPathOf } from "./folder-segments.js";
import { SpoolDamage } from "./spool-damage.js";
import { countDone, summedFailures } from "./spool-lines.js";
import { writeSummed } from "./write-summed.js";

/** Files in which one owner of a run writes. */
export interface FolderPlaces {
  /** The folder of the segments. */
  readonly segments: string;
  /** The run's output and failures once it is over. */
  readonly output: string;
  readonly failed: string;
  /** Whether the run has sums beside its records, and so beside all that is written of it. */
  readonly summed: boolean;
}

interface OpenFiles {
  readonly segment: FileHandle;
  readonly segmentPath: string;
  /** Sums of the segment's lines. */
  readonly sums: FileHandle;
  readonly failures: FileHandle;
  readonly failuresPath: string;
}

/** The segment of one owner of a run: nobody else writes to it. */
export class FolderOutput extends Collector implements SpoolOutput {
  readonly doneIds: ReadonlySet<string>;
  readonly damage: readonly string[];
  readonly #places: FolderPlaces;
  readonly #files: OpenFiles;

  private constructor(
    places: FolderPlaces,
    files: OpenFiles,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
    damage: SpoolDamage,
  ) {
    super(counts);
    this.damage = damage.lines;
    this.#places = places;
    this.#files = files;
    this.doneIds = doneIds;
  }

  static async open(places: FolderPlaces, fence: number): Promise<FolderOutput> {
    const counts = emptyCounts();
    const damage = new SpoolDamage();
    const { segments, summed } = places;
    const doneIds = await countDone(mergedLines(segments, summed, damage), counts);
    const segmentPath = join(segments, `${fence}.jsonl`);
    const failuresPath = join(segments, `${fence}.failed`);
    const files = {
      segment: await open(segmentPath, "a"),
      segmentPath,
      sums: await open(sumsPathOf(segmentPath), "a"),
      failures: await open(failuresPath, "w"),
      failuresPath,
    };
    return new FolderOutput(places, files, counts, doneIds, damage);
  }

  protected async append(lines: readonly string[]): Promise<void> {
    // A sum without its line says nothing; a line without its sum would not count.
    await this.#files.sums.appendFile(lines.map(sumCell).join(""));
    await this.#files.segment.appendFile(asText(lines));
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    await this.#files.failures.appendFile(summedFailures(failures));
  }

  protected async sync(): Promise<void> {
    await this.#files.sums.datasync();
    await this.#files.segment.datasync();
  }

  async close(complete: boolean): Promise<void> {
    await this.settled();
    const { segment, sums, failures, failuresPath, segmentPath } = this.#files;
    const sizes: number[] = [];
    for (const file of [sums, segment, failures]) {
      await file.sync();
      sizes.push((await file.stat()).size);
      await file.close();
    }
    if (!complete) {
      // An owner that wrote nothing leaves nothing: a run that stops at once may have many.
      if (sizes.some((size) => size > 0)) return;
      for (const path of [failuresPath, segmentPath, sumsPathOf(segmentPath)]) await rm(path);
      return;
    }
    const { output, failed, segments, summed } = this.#places;
    // Failures before the output: if there is an output, the run is over.
    await rename(failuresPath, failed);
    await writeSummed(output, mergedLines(segments, summed));
    await rm(segments, { recursive: true, force: true });
  }
}
