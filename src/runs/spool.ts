import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RankmillError } from "../core/errors.js";
import type { FailedRecord, InputRecord } from "../core/records.js";
import type { RunSink } from "./feeder.js";
import { countLines, readLines } from "./formats/lines.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "./manifest.js";
import { checkRunId } from "./run-store.js";

const RECORDS = "records.jsonl";
const OUTPUT = "output.jsonl";
const FAILED = "failed.jsonl";
const SEGMENTS = "rankings";

/**
 * A folder that holds submitted runs: what was asked and what has come of it, so that Redis holds
 * the window of a run and never the run. It may be shared by several hosts.
 *
 * `RUN/records.jsonl` holds the records as they were read, one
 * {@link InputRecord} a line; it is complete from the moment it has that name. `RUN/rankings/FENCE.jsonl` is what
 * one owner of the run wrote; no two owners ever write one file, so a frozen owner that wakes up can
 * harm nothing. `RUN/output.jsonl` and `RUN/failed.jsonl` appear, whole, when the run is over.
 */
export class Spool {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  outputPath(run: string): string {
    return this.#path(run, OUTPUT);
  }

  failedPath(run: string): string {
    return this.#path(run, FAILED);
  }

  /** Puts a run's records in. The same run may be put in again: its records are the same. */
  async put(run: string, records: AsyncIterable<InputRecord>): Promise<void> {
    const path = this.#path(run, RECORDS);
    await this.#usable(async () => {
      await mkdir(this.#path(run, SEGMENTS), { recursive: true });
      if (!(await exists(path))) await writeWhole(path, asLines(records));
    });
  }

  /** The run's records, less those that have a ranking. */
  async *records(
    run: string,
    doneIds: ReadonlySet<string>,
  ): AsyncGenerator<InputRecord, void, undefined> {
    for await (const line of linesOf(this.#path(run, RECORDS))) {
      const record = JSON.parse(line) as InputRecord;
      if (record.status === "valid" && doneIds.has(record.request.id)) continue;
      yield record;
    }
  }

  async countRecords(run: string): Promise<number> {
    const source = createReadStream(this.#path(run, RECORDS));
    return await countLines(source, { maxLineBytes: Number.MAX_SAFE_INTEGER });
  }

  /** Opens the run's output for the owner with this fence. */
  async openOutput(run: string, fence: number): Promise<SpoolOutput> {
    const folder = this.#path(run, SEGMENTS);
    await mkdir(folder, { recursive: true });
    return await SpoolOutput.open(folder, fence, this.outputPath(run), this.failedPath(run));
  }

  /** Rankings so far, each record's once, whoever wrote them. */
  async *rankings(run: string): AsyncGenerator<string, void, undefined> {
    if (await exists(this.outputPath(run))) yield* linesOf(this.outputPath(run));
    else yield* mergedLines(this.#path(run, SEGMENTS));
  }

  /** Failures of a run that is over, or as its newest owner knows them. */
  async *failures(run: string): AsyncGenerator<FailedRecord, void, undefined> {
    let path = this.failedPath(run);
    if (!(await exists(path))) {
      const newest = (await segmentsOf(this.#path(run, SEGMENTS), ".failed")).at(-1);
      if (newest === undefined) return;
      path = newest;
    }
    for await (const line of linesOf(path)) {
      if (idOf(line) !== TORN) yield JSON.parse(line) as FailedRecord;
    }
  }

  /** Makes a run that is over open again, with its rankings as its only segment. */
  async reopen(run: string): Promise<void> {
    if (!(await exists(this.outputPath(run)))) return;
    await mkdir(this.#path(run, SEGMENTS), { recursive: true });
    await rename(this.outputPath(run), join(this.#path(run, SEGMENTS), "0.jsonl"));
    await rm(this.failedPath(run), { force: true });
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
      const code = (error as NodeJS.ErrnoException).code;
      if (code === undefined) throw error;
      throw new RankmillError("usage", `the spool ${this.#folder} cannot be written (${code})`, {
        cause: error,
      });
    }
  }
}

/** What one owner of a spooled run writes. */
export class SpoolOutput implements RunSink {
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
  ): Promise<SpoolOutput> {
    const counts = emptyCounts();
    const doneIds = new Set<string>();
    for await (const line of mergedLines(folder)) doneIds.add(countLine(line, counts));
    const segment = await open(join(folder, `${fence}.jsonl`), "a");
    const failuresPath = join(folder, `${fence}.failed`);
    const failures = await open(failuresPath, "w");
    return new SpoolOutput(
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

  async fail(failures: readonly FailedRecord[]): Promise<void> {
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

  /** Closes the segment; where the run is over, its output and failures get their names. */
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

/** The lines of all segments, in order of their fences, each record's first; torn ends left out. */
async function* mergedLines(folder: string): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>();
  for (const segment of await segmentsOf(folder, ".jsonl")) {
    for await (const line of linesOf(segment)) {
      const id = idOf(line);
      if (id === TORN || seen.has(id)) continue;
      seen.add(id);
      yield line;
    }
  }
}

/** Paths of what each owner wrote, in order of their fences. */
async function segmentsOf(folder: string, ending: ".jsonl" | ".failed"): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith(ending))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => join(folder, name));
}

/** Stands for the id of a line that a crash tore. */
const TORN = Symbol("torn");

/** @returns the line's id, an empty one where it has none */
function idOf(line: string): string | typeof TORN {
  try {
    return (JSON.parse(line) as { id?: string }).id ?? "";
  } catch {
    return TORN;
  }
}

async function* asLines(records: AsyncIterable<InputRecord>): AsyncGenerator<string> {
  for await (const record of records) yield JSON.stringify(record);
}

async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  const source = createReadStream(path);
  for await (const line of readLines(source, { maxLineBytes: Number.MAX_SAFE_INTEGER })) {
    if (line.status === "line") yield line.text;
  }
}

async function writeWhole(path: string, lines: AsyncIterable<string>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w");
  try {
    for await (const line of lines) await file.appendFile(`${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
