import { createReadStream } from "node:fs";
import { access, constants, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { Spool, SpoolOutput } from "../../core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../core/record.js";
import { countLines } from "../../inputs/read/lines.js";
import { exists, makeFolder } from "../../platform/files.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { checkRunId } from "../../redis/run-info.js";
import { WholeFile } from "../../platform/whole-file.js";
import { FolderOutput } from "./folder-output.js";
import { linesOf, mergedLines, segmentsOf } from "./folder-segments.js";
import { asLines, asTexts, failuresOf, recordsOf } from "./spool-lines.js";

const RECORDS = "records.jsonl";
const OUTPUT = "output.jsonl";
const FAILED = "failed.jsonl";
const SEGMENTS = "rankings";

/**
 * A spool in a folder, on a file system that all its users see alike.
 *
 * `RUN/records.jsonl` holds the records as they were read, one
 * {@link InputRecord} a line; it is complete from the moment it has that name. `RUN/rankings/FENCE.jsonl` is what
 * one owner of the run wrote; no two owners ever write one file, so a frozen owner that wakes up can
 * harm nothing. `RUN/output.jsonl` and `RUN/failed.jsonl` appear, whole, when the run is over.
 */
export class FolderSpool implements Spool {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  get name(): string {
    return this.#folder;
  }

  async check(): Promise<void> {
    await this.#usable(async () => {
      await makeFolder(this.#folder);
      await access(this.#folder, constants.R_OK | constants.W_OK | constants.X_OK);
    });
  }

  async put(run: string, records: AsyncIterable<InputRecord>): Promise<void> {
    const path = this.#path(run, RECORDS);
    await this.#usable(async () => {
      await makeFolder(this.#path(run, SEGMENTS));
      if (!(await exists(path))) await WholeFile.write(path, asTexts(asLines(records)));
    });
  }

  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    yield* recordsOf(linesOf(this.#path(run, RECORDS)), doneIds);
  }

  async countRecords(run: string): Promise<number> {
    const source = createReadStream(this.#path(run, RECORDS));
    return await countLines(source, { maxLineBytes: Number.MAX_SAFE_INTEGER });
  }

  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const segments = this.#path(run, SEGMENTS);
    await makeFolder(segments);
    const [output, failed] = [this.#path(run, OUTPUT), this.#path(run, FAILED)];
    return await FolderOutput.open({ segments, output, failed }, fence);
  }

  async *rankings(run: string): AsyncGenerator<string, void, undefined> {
    const output = this.#path(run, OUTPUT);
    if (await exists(output)) yield* linesOf(output);
    else yield* mergedLines(this.#path(run, SEGMENTS));
  }

  async *failures(run: string): AsyncGenerator<RecordFailure, void, undefined> {
    let path = this.#path(run, FAILED);
    if (!(await exists(path))) {
      const newest = (await segmentsOf(this.#path(run, SEGMENTS), ".failed")).at(-1);
      if (newest === undefined) return;
      path = newest;
    }
    yield* failuresOf(linesOf(path));
  }

  async reopen(run: string): Promise<void> {
    const output = this.#path(run, OUTPUT);
    if (!(await exists(output))) return;
    await makeFolder(this.#path(run, SEGMENTS));
    await rename(output, join(this.#path(run, SEGMENTS), "0.jsonl"));
    await rm(this.#path(run, FAILED), { force: true });
  }

  async remove(run: string): Promise<void> {
    await rm(this.#path(run), { recursive: true, force: true });
  }

  async has(run: string): Promise<boolean> {
    return await exists(this.#path(run, RECORDS));
  }

  #path(run: string, ...parts: string[]): string {
    // Checked again here: a run's id comes out of Redis, and must never lead out of the folder.
    return join(this.#folder, checkRunId(run), ...parts);
  }

  async #usable<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      const { path } = error as NodeJS.ErrnoException;
      // A run's own folder may belong to another user, if the spool itself can be written.
      const why = path === undefined ? code : `${code}: ${path}`;
      throw new RankmillError(
        "place_unusable",
        `the spool ${this.#folder} cannot be written (${why})`,
        {
          cause: error,
        },
      );
    }
  }
}
