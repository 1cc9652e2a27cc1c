import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { SpoolOutput } from "../../core/ports/spool.js";
import type { RecordFailure } from "../../core/record.js";
import { emptyCounts, type RunCounts } from "../../core/run-counts.js";
import { asFailureText, asText, Collector } from "../collector.js";
import { WholeFile } from "../../platform/whole-file.js";
import { mergedLines } from "./folder-segments.js";
import { asTexts, countDone } from "./spool-lines.js";

/** Files in which one owner of a run writes. */
export interface FolderPlaces {
  /** The folder of the segments. */
  readonly segments: string;
  /** The run's output and failures once it is over. */
  readonly output: string;
  readonly failed: string;
}

interface OpenFiles {
  readonly segment: FileHandle;
  readonly failures: FileHandle;
  readonly failuresPath: string;
}

/** The segment of one owner of a run: nobody else writes to it. */
export class FolderOutput extends Collector implements SpoolOutput {
  readonly doneIds: ReadonlySet<string>;
  readonly #places: FolderPlaces;
  readonly #files: OpenFiles;

  private constructor(
    places: FolderPlaces,
    files: OpenFiles,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
  ) {
    super(counts);
    this.#places = places;
    this.#files = files;
    this.doneIds = doneIds;
  }

  static async open(places: FolderPlaces, fence: number): Promise<FolderOutput> {
    const counts = emptyCounts();
    const doneIds = await countDone(mergedLines(places.segments), counts);
    const failuresPath = join(places.segments, `${fence}.failed`);
    const files = {
      segment: await open(join(places.segments, `${fence}.jsonl`), "a"),
      failures: await open(failuresPath, "w"),
      failuresPath,
    };
    return new FolderOutput(places, files, counts, doneIds);
  }

  protected async append(lines: readonly string[]): Promise<void> {
    await this.#files.segment.appendFile(asText(lines));
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    await this.#files.failures.appendFile(asFailureText(failures));
  }

  protected async sync(): Promise<void> {
    await this.#files.segment.datasync();
  }

  async close(complete: boolean): Promise<void> {
    await this.settled();
    const { segment, failures, failuresPath } = this.#files;
    await segment.sync();
    await segment.close();
    await failures.sync();
    await failures.close();
    if (!complete) return;
    const { output, failed, segments } = this.#places;
    // Failures before the output: if there is an output, the run is over.
    await rename(failuresPath, failed);
    await WholeFile.write(output, asTexts(mergedLines(segments)));
    await rm(segments, { recursive: true, force: true });
  }
}
