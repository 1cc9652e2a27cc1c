import { rm } from "node:fs/promises";
import type { RecordFailure } from "../core/record.js";
import { asFailureText, asText, Collector } from "./collector.js";
import { asDiskFull } from "./disk-full.js";
import { lockOutput } from "./output-lock.js";
import { RankmillError } from "../core/errors.js";
import type { RunCounts } from "../core/run-counts.js";
import { option, wording } from "../core/wording.js";
import { hasContent } from "../platform/files.js";
import { packageVersion } from "../platform/package-root.js";
import { refuseForeignFiles, refuseOtherOutput } from "./foreign-files.js";
import { foreignManifest, manifestText, readManifest, type ResultsManifest } from "./manifest.js";
import {
  checkPlace,
  linkTarget,
  outputPaths,
  temporaryOf,
  type OutputPaths,
} from "./output-paths.js";
import { WholeFile } from "../platform/whole-file.js";

/** The rankings of a submitted run, written out at once: both files have their names once they are whole. */
export class ResultFiles extends Collector {
  readonly #paths: OutputPaths;
  readonly #run: string;
  readonly #rankings: WholeFile;
  readonly #failures: WholeFile;
  readonly #unlock: () => Promise<void>;

  private constructor(
    paths: OutputPaths,
    run: string,
    rankings: WholeFile,
    failures: WholeFile,
    unlock: () => Promise<void>,
  ) {
    super();
    this.#paths = paths;
    this.#run = run;
    this.#rankings = rankings;
    this.#failures = failures;
    this.#unlock = unlock;
  }

  /**
   * @param run whose results they are: earlier ones of the same run are replaced
   * @throws RankmillError `place_unusable` for a place that cannot be written, `conflict` for one that
   *   another command writes to, or that holds what no `results` of this run wrote
   */
  static async open(output: string, run: string): Promise<ResultFiles> {
    const paths = outputPaths(await linkTarget(output));
    await checkResultsPlace(paths, run);
    const unlock = await lockOutput(paths.lock);
    try {
      await checkResultsPlace(paths, run);
      // `OUT.partial` is not used: that is an interrupted `run`, which must be able to go on.
      const rankings = await WholeFile.create(paths.output, temporaryOf(paths.output));
      const failures = await WholeFile.create(paths.failed, temporaryOf(paths.failed));
      return new ResultFiles(paths, run, rankings, failures, unlock);
    } catch (error) {
      await unlock();
      throw asDiskFull(error, output);
    }
  }

  protected async append(lines: readonly string[]): Promise<void> {
    await this.#rankings.append(asText(lines)).catch(this.#refused);
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    await this.#failures.append(asFailureText(failures)).catch(this.#refused);
  }

  protected async sync(): Promise<void> {
    await Promise.resolve();
  }

  readonly #refused = (error: unknown): never => {
    throw asDiskFull(error, this.#paths.output);
  };

  /** Gives the files their names; a failed file of before goes if nothing failed. */
  async close(): Promise<void> {
    await this.settled();
    // First: what appears must be explained from then on.
    await this.#writeManifest().catch(this.#refused);
    await this.#rankings.close().catch(this.#refused);
    if (this.counts.failed > 0) await this.#failures.close().catch(this.#refused);
    else {
      await this.#failures.discard();
      await rm(this.#paths.failed, { force: true });
    }
    await this.#unlock();
  }

  async #writeManifest(): Promise<void> {
    const { manifest: path, output } = this.#paths;
    const manifest: ResultsManifest & { readonly counts: RunCounts } = {
      rankmill: packageVersion(),
      state: "results",
      run: this.#run,
      output,
      counts: this.counts,
    };
    await WholeFile.write(path, [manifestText(manifest)], temporaryOf(path));
  }

  /** Leaves what was there before. */
  async discard(): Promise<void> {
    await this.settled();
    await this.#rankings.discard();
    await this.#failures.discard();
    await this.#unlock();
  }
}

/**
 * Checks before anything is asked for that results can be written, and over what.
 *
 * @throws RankmillError as {@link ResultFiles.open}
 */
export async function checkResultsPlace(paths: OutputPaths, run: string): Promise<void> {
  await checkPlace(paths);
  const { output, partial, manifest } = paths;
  const found = await readManifest(manifest);
  if (found.kind === "foreign") throw foreignManifest(manifest, found.problem);
  const ours = found.kind === "results" && found.manifest.run === run;
  if (found.kind === "results" || found.kind === "run")
    await refuseOtherOutput(paths, found.manifest);
  for (const path of [output, partial]) {
    if ((ours && path === output) || !(await hasContent(path))) continue;
    throw new RankmillError(
      "conflict",
      wording`${option("output")} ${output}: ${path} exists, and is not what run ${run} gave before: choose another name, or delete it`,
    );
  }
  await refuseForeignFiles(paths, ours);
}
