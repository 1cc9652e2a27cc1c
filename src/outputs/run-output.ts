import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { RankmillError } from "../core/errors.js";
import type { OutputFormat } from "../core/ports/output-format.js";
import type { RerankRequest } from "../core/contract.js";
import type { InputRecord, RecordFailure, ValidRecord } from "../core/record.js";
import { counted, countedAre } from "../core/counted.js";
import { emptyCounts, rankingId, type RunCounts } from "../core/run-counts.js";
import { exists, hasContent } from "../platform/files.js";
import { asFailureText, asText, Collector } from "./collector.js";
import { asDiskFull } from "./disk-full.js";
import { JSON_LINES } from "./formats/registry.js";
import {
  checkSameSettings,
  foreignManifest,
  manifestText,
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
import { requestDigest, sumsLine, UNKNOWN_DIGEST } from "./ranking-sums.js";
import { readDone, writeSums, type DoneRankings } from "./read-done.js";
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
  /** Rankings of earlier starts, as they were found. */
  readonly done: DoneRankings;
  /** The manifest of the earlier start that this one goes on with. */
  readonly before: FoundManifest | undefined;
  /** True while the rankings still lie under their final name. */
  #complete: boolean;
  #partial: FileHandle | undefined;
  #failed: FileHandle | undefined;
  #sums: FileHandle | undefined;
  /** Digests of the requests that are under way: as many as are in flight. */
  readonly #underWay = new Map<string, number>();
  /** Ids of records that have changed since they were ranked, or fail now: the old rankings go. */
  readonly #superseded = new Set<string>();
  /** Ids among those that failed: nothing replaces their rankings. */
  readonly #dropped = new Set<string>();
  /** Records of the input that had a ranking. */
  #met = 0;
  #changed = 0;

  readonly #unlock: () => Promise<void>;
  #locked = true;

  private constructor(
    paths: OutputPaths,
    counts: RunCounts,
    done: DoneRankings,
    before: FoundManifest | undefined,
    complete: boolean,
    unlock: () => Promise<void>,
  ) {
    super(counts);
    this.#unlock = unlock;
    this.before = before;
    this.paths = paths;
    this.done = done;
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
    const done = await readDone(complete ? rankings : partial, paths.sums, counts);
    return new RunOutput(paths, counts, done, started ? before : undefined, complete, unlock);
  }

  protected async append(lines: readonly string[]): Promise<void> {
    const partial = await this.#openPartial();
    // Sums first: one without its ranking says nothing, a ranking without its sum counts as damaged.
    const sums = lines.map((line) => this.#sumOf(line)).join("");
    await this.#sums?.appendFile(sums).catch(this.#refused);
    await partial.appendFile(asText(lines)).catch(this.#refused);
  }

  #sumOf(line: string): string {
    const id = rankingId(line);
    const digest = this.#underWay.get(id) ?? UNKNOWN_DIGEST;
    this.#underWay.delete(id);
    this.#dropped.delete(id);
    return sumsLine(line, digest);
  }

  /**
   * The records that have no ranking yet, or one that was made of another text.
   *
   * @param onNewest hears of those that have one of the newest rankings, see {@link DoneRankings.newest}
   */
  async *unranked(
    records: AsyncIterable<InputRecord>,
    onNewest: (record: ValidRecord) => Promise<void> = async () => {},
  ): AsyncGenerator<InputRecord, void, undefined> {
    for await (const record of records) {
      if (record.status === "invalid" || !this.#isRanked(record.request)) yield record;
      else if (this.done.newest.has(record.request.id)) await onNewest(record);
    }
  }

  #isRanked(request: RerankRequest): boolean {
    const { id } = request;
    const digest = requestDigest(request);
    const before = this.done.digests.get(id);
    if (before !== undefined) this.#met += 1;
    if (before === digest || before === UNKNOWN_DIGEST) return true;
    if (before !== undefined) {
      this.#changed += 1;
      this.#supersede(id);
    }
    this.#underWay.set(id, digest);
    return false;
  }

  #supersede(id: string): void {
    if (this.#superseded.has(id)) return;
    this.#superseded.add(id);
    this.counts.done -= 1;
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    this.#failed ??= await open(this.paths.failed, "w");
    await this.#failed.appendFile(asFailureText(failures)).catch(this.#refused);
    for (const { id } of failures) {
      if (id === undefined) continue;
      this.#underWay.delete(id);
      if (!this.done.digests.has(id)) continue;
      this.#supersede(id);
      this.#dropped.add(id);
    }
  }

  protected async sync(): Promise<void> {
    await this.#sums?.datasync().catch(this.#refused);
    await this.#partial?.datasync().catch(this.#refused);
  }

  readonly #refused = (error: unknown): never => {
    throw asDiskFull(error, this.paths.output);
  };

  async #openPartial(): Promise<FileHandle> {
    if (this.#partial === undefined) {
      if (this.#complete) await rename(this.paths.rankings, this.paths.partial);
      this.#complete = false;
      const { partial, sums } = this.paths;
      if (!this.done.summed) await writeSums(partial, sums, this.done.digests);
      this.#sums = await open(sums, "a");
      this.#partial = await open(partial, "a");
    }
    return this.#partial;
  }

  /** Replaces the manifest, whole. */
  async writeManifest(manifest: Manifest): Promise<void> {
    const path = this.paths.manifest;
    await WholeFile.write(path, [manifestText(manifest)], temporaryOf(path));
  }

  /**
   * Closes the files; a complete run's output gets its name.
   *
   * @param format the form that the settings name
   */
  async close(complete: boolean, format: OutputFormat = JSON_LINES): Promise<void> {
    await this.settled();
    const { partial: partialPath, rankings, output } = this.paths;
    if (!this.#complete || this.#superseded.size > 0) {
      const partial = await this.#openPartial();
      await partial.sync();
      await partial.close();
      await this.#sums?.sync();
      await this.#sums?.close();
      if (this.#superseded.size > 0) await this.#compact();
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

  /** Takes out the rankings that newer ones or failures have replaced. */
  async #compact(): Promise<void> {
    const { partial, sums } = this.paths;
    const { failed, failedByCode } = this.counts;
    Object.assign(this.counts, { ...emptyCounts(), failed, failedByCode });
    const { digests } = await readDone(partial, sums, this.counts, this.#dropped);
    await writeSums(partial, sums, digests);
  }

  /** Facts about the rankings that were there, each for a note to the user. */
  notes(complete: boolean): string[] {
    const { output } = this.paths;
    const gone = this.done.digests.size - this.#met;
    return [
      ...(this.#changed === 0
        ? []
        : [`${countedAre(this.#changed, "record")} ranked anew: changed since the last ranking`]),
      ...(gone <= 0 || !complete
        ? []
        : [
            `${counted(gone, "ranking")} of records that the input no longer has: kept in ${output}`,
          ]),
    ];
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
  const { output, rankings, partial, failed, manifest, sums } = paths;
  const found = await readManifest(manifest);
  if (found.kind === "foreign") throw foreignManifest(manifest, found.problem);
  if (found.kind === "run" || found.kind === "results") {
    await refuseOtherOutput(paths, found.manifest);
  }
  await refuseForeignFiles(paths, found.kind === "run");
  await Promise.all(
    [output, rankings, partial, failed, manifest, sums].map((path) => rm(path, { force: true })),
  );
}
