import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  type FileHandle,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { RankmillError } from "../../core/errors.js";
import type { RecordFailure, InputRecord } from "../../core/record.js";
import { countLines, ownLines } from "../../inputs/read/lines.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "../../core/run-counts.js";
import { checkRunId } from "../../redis/run-store.js";
import { asLines, countDone, idOf, mergeLines, recordsOf } from "./spool-lines.js";
import type { Spool, SpoolOutput } from "../../core/ports/spool.js";

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
      await mkdir(this.#folder, { recursive: true });
      await access(this.#folder, constants.R_OK | constants.W_OK | constants.X_OK);
    });
  }

  async put(run: string, records: AsyncIterable<InputRecord>): Promise<void> {
    const path = this.#path(run, RECORDS);
    await this.#usable(async () => {
      await mkdir(this.#path(run, SEGMENTS), { recursive: true });
      if (!(await exists(path))) await writeWhole(path, asLines(records));
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
    const folder = this.#path(run, SEGMENTS);
    await mkdir(folder, { recursive: true });
    const [output, failed] = [this.#path(run, OUTPUT), this.#path(run, FAILED)];
    return await FolderOutput.open(folder, fence, output, failed);
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
    for await (const line of linesOf(path)) {
      if (idOf(line) !== undefined) yield JSON.parse(line) as RecordFailure;
    }
  }

  async reopen(run: string): Promise<void> {
    const output = this.#path(run, OUTPUT);
    if (!(await exists(output))) return;
    await mkdir(this.#path(run, SEGMENTS), { recursive: true });
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
      const { code, path } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      // A run's own folder may belong to another user, where the spool itself can be written.
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

/** What one owner writes. */
class FolderOutput implements SpoolOutput {
  readonly counts: RunCounts;
  readonly doneIds: ReadonlySet<string>;
  readonly #folder: string;
  readonly #output: string;
  readonly #failed: string;
  readonly #failuresPath: string;
  readonly #segment: FileHandle;
  readonly #failures: FileHandle;

  #failing: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    output: string,
    failed: string,
    failuresPath: string,
    segment: FileHandle,
    failures: FileHandle,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
  ) {
    this.#folder = folder;
    this.#output = output;
    this.#failed = failed;
    this.#failuresPath = failuresPath;
    this.#segment = segment;
    this.#failures = failures;
    this.counts = counts;
    this.doneIds = doneIds;
  }

  static async open(
    folder: string,
    fence: number,
    output: string,
    failed: string,
  ): Promise<FolderOutput> {
    const counts = emptyCounts();
    const doneIds = await countDone(mergedLines(folder), counts);
    const segment = await open(join(folder, `${fence}.jsonl`), "a");
    const failuresPath = join(folder, `${fence}.failed`);
    const failures = await open(failuresPath, "w");
    return new FolderOutput(
      folder,
      output,
      failed,
      failuresPath,
      segment,
      failures,
      counts,
      doneIds,
    );
  }

  async write(lines: readonly string[]): Promise<void> {
    await this.#segment.appendFile(`${lines.join("\n")}\n`);
    for (const line of lines) countLine(line, this.counts);
  }

  async fail(failures: readonly RecordFailure[]): Promise<void> {
    const text = failures.map((failure) => `${JSON.stringify(failure)}\n`).join("");
    // Reader and collector both report failures.
    const writing = this.#failing.then(() => this.#failures.appendFile(text));
    this.#failing = writing.catch(() => {});
    await writing;
    for (const { code } of failures) countFailure(code, this.counts);
  }

  async flush(): Promise<void> {
    await this.#segment.datasync();
  }

  async close(complete: boolean): Promise<void> {
    await this.#segment.sync();
    await this.#segment.close();
    await this.#failures.sync();
    await this.#failures.close();
    if (!complete) return;
    // Failures before the output: where there is an output, the run is over.
    await rename(this.#failuresPath, this.#failed);
    await writeWhole(this.#output, mergedLines(this.#folder));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The lines of all segments, in order of their fences. */
async function* mergedLines(folder: string): AsyncGenerator<string, void, undefined> {
  yield* mergeLines((await segmentsOf(folder, ".jsonl")).map(linesOf));
}

/** Paths of what each owner wrote, in order of their fences. */
async function segmentsOf(folder: string, ending: ".jsonl" | ".failed"): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith(ending))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => join(folder, name));
}

/** Opens the file once it is read, and not before: a run may have many segments. */
async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  yield* ownLines(createReadStream(path));
}

async function writeWhole(path: string, lines: AsyncIterable<string>): Promise<void> {
  // Two hosts may write the same run at once, with the same process id.
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "w");
  try {
    for await (const line of lines) await file.appendFile(`${line}\n`);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
