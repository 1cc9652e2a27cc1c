import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { RankmillError } from "../core/errors.js";
import type { OutputFormat } from "../core/ports/output-format.js";
import type { RecordFailure } from "../core/record.js";
import { emptyCounts, type RunCounts } from "../core/run-counts.js";
import { exists, hasContent } from "../platform/files.js";
import { asFailureText, asText, Collector } from "./collector.js";
import { asDiskFull } from "./disk-full.js";
import { JSON_LINES } from "./formats/registry.js";
import {
  checkSameSettings,
  foreignManifest,
  readManifest,
  runManifestOf,
  type FoundManifest,
  type Manifest,
  type RunSettings,
} from "./manifest.js";
import { lockOutput } from "./output-lock.js";
import type { PlaceRead } from "../inputs/places-read.js";
import { checkApart } from "./check-apart.js";
import { refuseForeignFiles, refuseOtherOutput } from "./foreign-files.js";
import {
  checkPlace,
  linkTarget,
  outputPaths,
  temporaryOf,
  type OutputPaths,
} from "./output-paths.js";
import { readDone } from "./read-done.js";
import { WholeFile } from "../platform/whole-file.js";
import { option, wording } from "../core/wording.js";

/**
 * The output of a `run` on disk.
 *
 * *partial*: rankings are appended to `OUT.partial` as they arrive; a crash can tear the last line,
 * which the next start cuts off. *complete*: `OUT.partial` was renamed to `OUT`, or, if the output
 * has another form, to `OUT.rankings.jsonl`, and `OUT` was made of it. A complete output is opened again by
 * the next start with the same settings, which finds nothing to do, or only what is new or had failed.
 * The failed file is written anew by every start. Nothing is touched before there is something to
 * write: a start that fails, for want of Redis say, leaves all as it was.
 */
export class RunOutput extends Collector {
  readonly paths: OutputPaths;
  /** Ids of the records that have a ranking on disk from an earlier start. */
  readonly doneIds: ReadonlySet<string>;
  /** The manifest of the earlier start that this one goes on with. */
  readonly before: FoundManifest | undefined;
  /** True while the rankings still lie under their final name. */
  #complete: boolean;
  #partial: FileHandle | undefined;
  #failed: FileHandle | undefined;

  readonly #unlock: () => Promise<void>;
  #locked = true;

  private constructor(
    paths: OutputPaths,
    counts: RunCounts,
    doneIds: ReadonlySet<string>,
    before: FoundManifest | undefined,
    complete: boolean,
    unlock: () => Promise<void>,
  ) {
    super(counts);
    this.#unlock = unlock;
    this.before = before;
    this.paths = paths;
    this.doneIds = doneIds;
    this.#complete = complete;
  }

  /**
   * Opens the files for a new run or for going on with an interrupted one.
   *
   * @param options.forceNew delete what an earlier run left
   * @param options.reads what the run reads: none of it is written, `forceNew` or not
   * @throws RankmillError `place_unusable` for a place that cannot be written, `conflict` for one that
   *   holds a file that rankmill did not write, or a run under other settings
   */
  static async open(
    output: string,
    settings: RunSettings,
    options: { readonly forceNew?: boolean; readonly reads?: readonly PlaceRead[] } = {},
  ): Promise<RunOutput> {
    const paths = outputPaths(await linkTarget(output), settings.outputFormat);
    await checkPlace(paths);
    await checkApart(paths, options.reads ?? []);
    const unlock = await lockOutput(paths.lock);
    try {
      return await RunOutput.#goOn(paths, settings, options.forceNew === true, unlock);
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
    const { output, rankings, partial } = paths;
    if (forceNew) await removeEarlier(paths);
    const before = runManifestOf(await readManifest(paths.manifest), paths.manifest);
    await refuseOtherOutput(paths, before);
    await refuseForeignFiles(paths, before !== undefined);
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

  protected async append(lines: readonly string[]): Promise<void> {
    const partial = await this.#openPartial();
    await partial.appendFile(asText(lines)).catch(this.#refused);
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    this.#failed ??= await open(this.paths.failed, "w");
    await this.#failed.appendFile(asFailureText(failures)).catch(this.#refused);
  }

  protected async sync(): Promise<void> {
    await this.#partial?.datasync().catch(this.#refused);
  }

  readonly #refused = (error: unknown): never => {
    throw asDiskFull(error, this.paths.output);
  };

  async #openPartial(): Promise<FileHandle> {
    if (this.#partial === undefined) {
      if (this.#complete) await rename(this.paths.rankings, this.paths.partial);
      this.#complete = false;
      this.#partial = await open(this.paths.partial, "a");
    }
    return this.#partial;
  }

  /** Replaces the manifest, whole. */
  async writeManifest(manifest: Manifest): Promise<void> {
    const path = this.paths.manifest;
    await WholeFile.write(path, [`${JSON.stringify(manifest, null, 2)}\n`], temporaryOf(path));
  }

  /**
   * Closes the files; a complete run's output gets its name.
   *
   * @param format the form that the settings name
   */
  async close(complete: boolean, format: OutputFormat = JSON_LINES): Promise<void> {
    await this.settled();
    const { partial: partialPath, rankings, output } = this.paths;
    if (!this.#complete) {
      const partial = await this.#openPartial();
      await partial.sync();
      await partial.close();
      if (complete) await rename(partialPath, rankings);
    }
    if (complete && format.convert !== undefined) {
      await WholeFile.write(output, format.convert(rankings), temporaryOf(output));
    }
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

/** Removes what an earlier run left, the output too, whoever wrote that. */
async function removeEarlier(paths: OutputPaths): Promise<void> {
  const { output, rankings, partial, failed, manifest } = paths;
  const found = await readManifest(manifest);
  if (found.kind === "foreign") throw foreignManifest(manifest, found.problem);
  if (found.kind === "run" || found.kind === "results") {
    await refuseOtherOutput(paths, found.manifest);
  }
  await refuseForeignFiles(paths, found.kind === "run");
  await Promise.all(
    [output, rankings, partial, failed, manifest].map((path) => rm(path, { force: true })),
  );
}
