import { access, constants, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { Spool, SpoolOutput } from "../../core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../core/record.js";
import { exists, makeFolder } from "../../platform/files.js";
import { errnoOf } from "../../platform/file-system-errors.js";
import { checkRunId } from "../../redis/run-info.js";
import { FolderOutput } from "./folder-output.js";
import {
  linesBesideSums,
  linesOf,
  mergedLines,
  segmentsOf,
  sumsPathOf,
} from "./folder-segments.js";
import { asLines, countRecords, failuresOf, idOf, recordsOf } from "./spool-lines.js";
import { writeSummed } from "./write-summed.js";

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
 * harm nothing. `.sums` beside each hold checksums of its lines: one that does not fit is not believed.
 * `RUN/output.jsonl` and `RUN/failed.jsonl` appear, whole, when the run is over.
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
      if (!(await exists(path))) await writeSummed(path, asLines(records));
    });
  }

  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    yield* recordsOf(linesBesideSums(this.#path(run, RECORDS), true), doneIds);
  }

  async countRecords(run: string): Promise<number> {
    return await countRecords(linesBesideSums(this.#path(run, RECORDS), true));
  }

  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const segments = this.#path(run, SEGMENTS);
    await makeFolder(segments);
    const [output, failed] = [this.#path(run, OUTPUT), this.#path(run, FAILED)];
    const summed = await this.#isSummed(run);
    return await FolderOutput.open({ segments, output, failed, summed }, fence);
  }

  async *rankings(run: string): AsyncGenerator<string, void, undefined> {
    const output = this.#path(run, OUTPUT);
    if (!(await exists(output))) {
      yield* mergedLines(this.#path(run, SEGMENTS), await this.#isSummed(run));
      return;
    }
    for await (const line of linesBesideSums(output, true)) {
      if (line.status === "whole" && idOf(line.text) !== undefined) yield line.text;
    }
  }

  async *failures(run: string): AsyncGenerator<RecordFailure, void, undefined> {
    let path = this.#path(run, FAILED);
    if (!(await exists(path))) {
      const newest = (await segmentsOf(this.#path(run, SEGMENTS), ".failed")).at(-1);
      if (newest === undefined) return;
      path = newest;
    }
    yield* failuresOf(linesOf(path), path);
  }

  async reopen(run: string): Promise<void> {
    const output = this.#path(run, OUTPUT);
    if (!(await exists(output))) return;
    await makeFolder(this.#path(run, SEGMENTS));
    const segment = join(this.#path(run, SEGMENTS), "0.jsonl");
    if (await exists(sumsPathOf(output))) await rename(sumsPathOf(output), sumsPathOf(segment));
    await rename(output, segment);
    await rm(this.#path(run, FAILED), { force: true });
  }

  async remove(run: string): Promise<void> {
    await rm(this.#path(run), { recursive: true, force: true });
  }

  async has(run: string): Promise<boolean> {
    return await exists(this.#path(run, RECORDS));
  }

  /** A run that version 0.1.0 put in has no sums, and no file of it has any. */
  async #isSummed(run: string): Promise<boolean> {
    return await exists(sumsPathOf(this.#path(run, RECORDS)));
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
