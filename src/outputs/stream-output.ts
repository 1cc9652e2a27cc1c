import type { RecordFailure } from "../core/record.js";
import { asText, Collector } from "./collector.js";

/** Rankings on standard output: nothing to resume from, failures go to `onFailure`. */
export class StreamOutput extends Collector {
  readonly #stream: NodeJS.WritableStream;
  readonly #onFailure: (failure: RecordFailure) => void;
  readonly #textOf: ((ranking: string) => string) | undefined;

  /** @param textOf one ranking in the output's form, ends included; absent: JSON lines */
  constructor(
    stream: NodeJS.WritableStream,
    onFailure: (failure: RecordFailure) => void,
    textOf?: (ranking: string) => string,
  ) {
    super();
    this.#stream = stream;
    this.#onFailure = onFailure;
    this.#textOf = textOf;
  }

  protected async append(lines: readonly string[]): Promise<void> {
    const text = this.#textOf === undefined ? asText(lines) : lines.map(this.#textOf).join("");
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    for (const failure of failures) this.#onFailure(failure);
    await Promise.resolve();
  }

  protected async sync(): Promise<void> {
    await Promise.resolve();
  }
}
