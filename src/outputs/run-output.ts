import { createReadStream } from "node:fs";
import {
  access,
  constants,
  open,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  truncate,
  type FileHandle,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { RankmillError } from "../core/errors.js";
import type { RecordFailure } from "../core/record.js";
import { exportRankings, type RankingsForm } from "./export-rankings.js";
import type { OutputFormat } from "../core/output-format.js";
import { readLines, type Line } from "../inputs/read/lines.js";
import { lockOutput } from "./output-lock.js";
import type { RankingSink } from "../core/ports/ranking-sink.js";
import { checkSameSettings, type Manifest, type RunSettings } from "./manifest.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "../core/run-counts.js";
import { option, wording } from "../core/wording.js";

/** The files of one run: all beside its output. */
export interface OutputPaths {
  readonly output: string;
  /** The rankings as JSONL: the output itself, or what an output in another form is made of. */
  readonly rankings: string;
  /** The rankings while they grow. */
  readonly partial: string;
  readonly failed: string;
  readonly manifest: string;
  /** Held while a command writes the others. */
  readonly lock: string;
}

/**
 * `OUT.jsonl` → `OUT.jsonl.partial`, `OUT.failed.jsonl`, `OUT.manifest.json`; in another form,
 * `OUT.trec` → `OUT.trec.partial`, `OUT.trec.rankings.jsonl`, and so on.
 */
export function outputPaths(output: string, format: OutputFormat = "jsonl"): OutputPaths {
  const path = resolve(output);
  const stem = join(dirname(path), basename(path).replace(/\.jsonl$/, ""));
  return {
    output: path,
    rankings: format === "jsonl" ? path : `${path}.rankings.jsonl`,
    partial: `${path}.partial`,
    failed: `${stem}.failed.jsonl`,
    manifest: `${stem}.manifest.json`,
    lock: `${path}.lock`,
  };
}

/**
 * The output of a `run` on disk.
 *
 * *partial*: rankings are appended to `OUT.partial` as they arrive; a crash can tear the last line,
 * which the next start cuts off. *complete*: `OUT.partial` was renamed to `OUT`, or, where the output
 * has another form, to `OUT.rankings.jsonl`, and `OUT` was made of it. A complete output is opened again by the next start with the same settings, which finds nothing to do, or only what
 * is new or had failed. The failed file is written anew by every start. Nothing is touched before
 * there is something to write: a start that fails, for want of Redis say, leaves all as it was.
 */
export class RunOutput implements RankingSink {
  readonly paths: OutputPaths;
  readonly counts: RunCounts;
  /** Ids of the records that have a ranking on disk from an earlier start. */
  readonly doneIds: ReadonlySet<string>;
  /** What an earlier start said of the run, where this one goes on with it. */
  readonly before: Manifest | undefined;
  /** True while the rankings still lie under their final name. */
  #complete: boolean;
  #partial: FileHandle | undefined;
  #failed: FileHandle | undefined;
  /** The write to the failed file that is under way. */
  #failing: Promise<void> = Promise.resolve();

  readonly #unlock: () => Promise<void>;
  #locked = true;

  private constructor(
    paths: OutputPaths,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
    before: Manifest | undefined,
    complete: boolean,
    unlock: () => Promise<void>,
  ) {
    this.#unlock = unlock;
    this.before = before;
    this.paths = paths;
    this.counts = counts;
    this.doneIds = doneIds;
    this.#complete = complete;
  }

  /**
   * Opens the files for a new run or for going on with an interrupted one.
   *
   * @param forceNew delete what an earlier run left
   * @throws RankmillError `place_unusable` where the place cannot be written, holds a file that rankmill did
   *   not write, or a run under other settings
   */
  static async open(output: string, settings: RunSettings, forceNew: boolean): Promise<RunOutput> {
    const paths = outputPaths(output, settings.outputFormat as OutputFormat);
    await checkPlace(paths);
    const unlock = await lockOutput(paths.lock);
    try {
      return await RunOutput.#goOn(paths, settings, forceNew, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  static async #goOn(
    paths: OutputPaths,
    settings: RunSettings,
    forceNew: boolean,
    unlock: () => Promise<void>,
  ): Promise<RunOutput> {
    const { output, rankings, partial, failed, manifest } = paths;
    if (forceNew) {
      await Promise.all(
        [output, rankings, partial, failed, manifest].map((path) => rm(path, { force: true })),
      );
    }
    const before = await readManifest(paths.manifest);
    // A start that got no further than creating it left it empty, and no manifest.
    const started =
      (await hasContent(partial)) || (await exists(rankings)) || (await exists(output));
    if (started && before === undefined) {
      throw new RankmillError(
        "conflict",
        wording`${option("output")} ${paths.output}: exists, and no ${basename(paths.manifest)} beside it says how it was made: choose another, or replace it with ${option("forceNew")}`,
      );
    }
    if (started && before !== undefined) checkSameSettings(before.settings, settings, paths.output);
    const complete = !(await hasContent(partial)) && (await exists(rankings));
    const counts = emptyCounts();
    const doneIds = await readDone(complete ? rankings : partial, counts);
    return new RunOutput(paths, counts, doneIds, started ? before : undefined, complete, unlock);
  }

  async write(lines: readonly string[]): Promise<void> {
    const partial = await this.#openPartial();
    await partial.appendFile(`${lines.join("\n")}\n`).catch(this.#refused);
    for (const line of lines) countLine(line, this.counts);
  }

  async fail(failures: readonly RecordFailure[]): Promise<void> {
    const text = failures.map((failure) => `${JSON.stringify(failure)}\n`).join("");
    // Reader and collector both report failures, and a large one takes several writes.
    const writing = this.#failing.then(async () => {
      this.#failed ??= await open(this.paths.failed, "w");
      await this.#failed.appendFile(text);
    });
    this.#failing = writing.catch(() => {});
    await writing.catch(this.#refused);
    for (const { code } of failures) countFailure(code, this.counts);
  }

  async flush(): Promise<void> {
    await this.#partial?.datasync().catch(this.#refused);
  }

  /** A disk that fills up under way is nobody's mistake in the code: one line that says how to go on. */
  readonly #refused = (error: unknown): never => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
    throw new RankmillError(
      "internal",
      wording`${option("output")} ${this.paths.output}: the disk is full (${code}): free some space and run again to go on, what was ranked is kept`,
      { cause: error },
    );
  };

  async #openPartial(): Promise<FileHandle> {
    if (this.#partial === undefined) {
      if (this.#complete) await rename(this.paths.rankings, this.paths.partial);
      this.#complete = false;
      this.#partial = await open(this.paths.partial, "a");
    }
    return this.#partial;
  }

  /** Written whole and renamed, so that a reader never sees half of it. */
  async writeManifest(manifest: Manifest): Promise<void> {
    await writeAtomically(this.paths.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  }

  /**
   * Closes the files; a complete run's output gets its name.
   *
   * @param form the settings' output format, with what it needs
   */
  async close(complete: boolean, form: RankingsForm = { format: "jsonl" }): Promise<void> {
    const { partial: partialPath, rankings, output } = this.paths;
    if (!this.#complete) {
      const partial = await this.#openPartial();
      await partial.sync();
      await partial.close();
      if (complete) await rename(partialPath, rankings);
    }
    if (complete && form.format !== "jsonl") await exportRankings(rankings, output, form);
    await this.#failed?.sync();
    await this.#failed?.close();
    if (this.counts.failed === 0) await rm(this.paths.failed, { force: true });
    await this.unlock();
  }

  /** Lets others write this output; for an end without `close`. Safe to call twice. */
  async unlock(): Promise<void> {
    if (!this.#locked) return;
    this.#locked = false;
    await this.#unlock();
  }
}

/** Lock, manifest and a first few rankings: where not even those fit, nothing is begun. */
const MIN_FREE_BYTES = 65_536;

/** @throws RankmillError `place_unusable` where a run cannot write its files there */
export async function checkPlace(paths: OutputPaths): Promise<void> {
  const folder = dirname(paths.output);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "does not exist"
        : `cannot be written by user ${process.getuid?.() ?? "of this process"} (${code})`;
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${paths.output}: the folder ${folder} ${why}`,
    );
  }
  // Not every file system tells; one that says zero for both has no such figures.
  const space = await statfs(folder).catch(() => undefined);
  if (space !== undefined && space.blocks > 0 && space.bavail * space.bsize < MIN_FREE_BYTES) {
    throw new RankmillError(
      "place_unusable",
      wording`${option("output")} ${paths.output}: the file system of ${folder} is full (${space.bavail * space.bsize} bytes free, ${MIN_FREE_BYTES} needed at the least)`,
    );
  }
  for (const path of Object.values(paths) as string[]) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    if (!found.isFile())
      throw new RankmillError(
        "place_unusable",
        wording`${option("output")} ${paths.output}: ${path} is not a file`,
      );
    await access(path, constants.W_OK).catch(() => {
      throw new RankmillError(
        "place_unusable",
        wording`${option("output")} ${paths.output}: ${path} is read-only`,
      );
    });
  }
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** Reads what an earlier start wrote and cuts off a line that a crash tore. */
async function readDone(path: string, counts: RunCounts): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  if (!(await exists(path))) return ids;
  await cutTornLine(path);
  for await (const line of readLines(createReadStream(path), {
    maxLineBytes: Number.MAX_SAFE_INTEGER,
  })) {
    ids.add(readRanked(path, line, counts));
  }
  return ids;
}

/** @throws RankmillError `place_unusable` for a line that no run wrote: going on would carry the damage along */
function readRanked(path: string, line: Line, counts: RunCounts): string {
  try {
    if (line.status === "line") return countLine(line.text, counts);
  } catch {
    // Said below, with the line's number.
  }
  throw new RankmillError(
    "place_unusable",
    wording`${path}: line ${line.lineNumber} is not a ranking: mend or delete the file, or start over with ${option("forceNew")}`,
  );
}

const TAIL_BYTES = 65_536;
const NEWLINE = 10;

async function cutTornLine(path: string): Promise<void> {
  const file = await open(path, "r");
  let end: number;
  try {
    const { size } = await file.stat();
    end = 0;
    const tail = Buffer.alloc(TAIL_BYTES);
    for (let at = size; at > 0 && end === 0; at -= TAIL_BYTES) {
      const start = Math.max(0, at - TAIL_BYTES);
      const { bytesRead } = await file.read(tail, 0, at - start, start);
      end = start + tail.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
      if (end === start) end = 0;
    }
    if (end === size) return;
  } finally {
    await file.close();
  }
  await truncate(path, end);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function hasContent(path: string): Promise<boolean> {
  return ((await stat(path).catch(() => undefined))?.size ?? 0) > 0;
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Rankings on standard output: nothing to resume from, failures go to `onFailure`. */
export class StreamOutput implements RankingSink {
  readonly counts: RunCounts = emptyCounts();
  readonly #stream: NodeJS.WritableStream;
  readonly #onFailure: (failure: RecordFailure) => void;
  readonly #toText: (line: string) => string;

  /** @param toText the output's form of one ranking, given as a line of JSONL; ends included */
  constructor(
    stream: NodeJS.WritableStream,
    onFailure: (failure: RecordFailure) => void,
    toText: (line: string) => string = (line) => `${line}\n`,
  ) {
    this.#stream = stream;
    this.#onFailure = onFailure;
    this.#toText = toText;
  }

  async write(lines: readonly string[]): Promise<void> {
    for (const line of lines) countLine(line, this.counts);
    await new Promise<void>((resolvePromise, reject) => {
      this.#stream.write(lines.map(this.#toText).join(""), (error) =>
        error == null ? resolvePromise() : reject(error),
      );
    });
  }

  async fail(failures: readonly RecordFailure[]): Promise<void> {
    for (const failure of failures) this.#onFailure(failure);
    for (const { code } of failures) countFailure(code, this.counts);
    await Promise.resolve();
  }

  async flush(): Promise<void> {
    await Promise.resolve();
  }
}
