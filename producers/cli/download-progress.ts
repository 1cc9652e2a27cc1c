const PLAIN_INTERVAL_MS = 5_000;
const TERMINAL_INTERVAL_MS = 200;
const MB = 1e6;

/** Shows a download on standard error: one changing line on a terminal, else a line every few seconds. */
export class DownloadProgress {
  readonly #stream: NodeJS.WriteStream;
  #shownAtMs = -Infinity;
  #open = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /**
   * @param what the present file, or the thing that is waited for
   * @param bytes of all files; not shown if absent
   */
  show(what: string, bytes?: number, totalBytes?: number): void {
    const intervalMs = this.#stream.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS;
    const now = performance.now();
    if (now - this.#shownAtMs < intervalMs) return;
    this.#shownAtMs = now;
    const line = describe(what, bytes, totalBytes);
    this.#stream.write(this.#stream.isTTY ? `\r\u001B[K${line}` : `${line}\n`);
    this.#open = this.#stream.isTTY;
  }

  stop(): void {
    if (this.#open) this.#stream.write("\n");
    this.#open = false;
  }
}

function describe(what: string, bytes?: number, totalBytes?: number): string {
  if (bytes === undefined) return what;
  const of = totalBytes === undefined ? "" : ` of ${(totalBytes / MB).toFixed(1)}`;
  return `${what}: ${(bytes / MB).toFixed(1)}${of} MB`;
}
