import { createWriteStream, type WriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { RecordFailure } from "../core/record.js";
import { lockOutput } from "./output-lock.js";
import { checkPlace, outputPaths, type OutputPaths } from "./run-output.js";

/** The rankings of a submitted run written out once: a temporary file, renamed when it is whole. */
export class ResultFiles {
  written = 0;
  failed = 0;
  readonly #out: NodeJS.WritableStream;
  readonly #failures: WriteStream | undefined;
  readonly #paths: OutputPaths | undefined;
  readonly #unlock: () => Promise<void>;
  readonly #onFailure: (failure: RecordFailure) => void;

  private constructor(
    paths: OutputPaths | undefined,
    unlock: () => Promise<void>,
    stdout: NodeJS.WritableStream,
    onFailure: (failure: RecordFailure) => void,
  ) {
    this.#paths = paths;
    this.#unlock = unlock;
    this.#onFailure = onFailure;
    this.#out = paths === undefined ? stdout : createWriteStream(temporaryOf(paths));
    this.#failures = paths === undefined ? undefined : createWriteStream(paths.failed);
  }

  /**
   * @param output a path, or `-` for `stdout`; then failures go to `onFailure`
   * @throws RankmillError `place_unusable` where the place cannot be written, or another command writes there
   */
  static async open(
    output: string,
    stdout: NodeJS.WritableStream,
    onFailure: (failure: RecordFailure) => void,
  ): Promise<ResultFiles> {
    if (output === "-") {
      return new ResultFiles(undefined, () => Promise.resolve(), stdout, onFailure);
    }
    const paths = outputPaths(output);
    await checkPlace(paths);
    return new ResultFiles(paths, await lockOutput(paths.lock), stdout, onFailure);
  }

  async write(line: string): Promise<void> {
    this.written += 1;
    await put(this.#out, `${line}\n`);
  }

  async fail(failure: RecordFailure): Promise<void> {
    this.failed += 1;
    if (this.#failures === undefined) this.#onFailure(failure);
    else await put(this.#failures, `${JSON.stringify(failure)}\n`);
  }

  async close(): Promise<void> {
    if (this.#paths === undefined) return;
    this.#out.end();
    this.#failures?.end();
    await finished(this.#out);
    if (this.#failures !== undefined) await finished(this.#failures);
    await rename(temporaryOf(this.#paths), this.#paths.output);
    if (this.failed === 0) await rm(this.#paths.failed, { force: true });
    await this.#unlock();
  }
}

/** Not `OUT.partial`: that is an interrupted `run`, which must be able to go on. */
function temporaryOf(paths: OutputPaths): string {
  return `${paths.output}.results.tmp`;
}

async function put(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
