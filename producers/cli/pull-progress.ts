import type { PullProgress } from "../../src/models/pull.js";

const PLAIN_INTERVAL_MS = 5_000;
const TERMINAL_INTERVAL_MS = 200;
const MB = 1e6;

/** Shows a pull on standard error: one changing line on a terminal, else a line every few seconds. */
export class PullProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs = -Infinity;
  #open = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(progress: PullProgress): void {
    const intervalMs = this.#stream.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
    const now = performance.now();
    if (now - this.#shownAtMs < intervalMs) return;
    this.#shownAtMs = now;
    const line = describe(progress);
    this.#stream.write(this.#stream.isTTY ? `\r\u001B[K${line}` : `${line}\n`);
    this.#open = this.#stream.isTTY;
  }

  stop(): void {
    if (this.#open) this.#stream.write("\n");
    this.#open = false;
  }
}

function describe(progress: PullProgress): string {
  if (progress.phase === "waiting") return "waiting: another process pulls the same model";
  const of =
    progress.totalBytes === undefined ? "" : ` of ${(progress.totalBytes / MB).toFixed(1)}`;
  return `${progress.path}: ${(progress.bytes / MB).toFixed(1)}${of} MB`;
}
