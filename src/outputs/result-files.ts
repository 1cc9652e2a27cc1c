import { rm } from "node:fs/promises";
import type { RecordFailure } from "../core/record.js";
import { asFailureText, asText, Collector } from "./collector.js";
import { asDiskFull } from "./disk-full.js";
import { lockOutput } from "./output-lock.js";
import { checkPlace, outputPaths, type OutputPaths } from "./output-paths.js";
import { WholeFile } from "../platform/whole-file.js";

/** The rankings of a submitted run, written out at once: both files have their names once they are whole. */
export class ResultFiles extends Collector {
  readonly #paths: OutputPaths;
  readonly #rankings: WholeFile;
  readonly #failures: WholeFile;
  readonly #unlock: () => Promise<void>;

  private constructor(
    paths: OutputPaths,
    rankings: WholeFile,
    failures: WholeFile,
    unlock: () => Promise<void>,
  ) {
    super();
    this.#paths = paths;
    this.#rankings = rankings;
    this.#failures = failures;
    this.#unlock = unlock;
  }

  /** @throws RankmillError `place_unusable` for a place that cannot be written, or that another command writes to */
  static async open(output: string): Promise<ResultFiles> {
    const paths = outputPaths(output);
    await checkPlace(paths);
    const unlock = await lockOutput(paths.lock);
    try {
      // Not `OUT.partial`: that is an interrupted `run`, which must be able to go on.
      const rankings = await WholeFile.create(paths.output, `${paths.output}.results.tmp`);
      const failures = await WholeFile.create(paths.failed, `${paths.failed}.tmp`);
      return new ResultFiles(paths, rankings, failures, unlock);
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
    await this.#rankings.close().catch(this.#refused);
    if (this.counts.failed > 0) await this.#failures.close().catch(this.#refused);
    else {
      await this.#failures.discard();
      await rm(this.#paths.failed, { force: true });
    }
    await this.#unlock();
  }

  /** Leaves what was there before. */
  async discard(): Promise<void> {
    await this.settled();
    await this.#rankings.discard();
    await this.#failures.discard();
    await this.#unlock();
  }
}
