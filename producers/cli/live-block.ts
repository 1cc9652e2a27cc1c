import process from "node:process";
import { writeSync } from "node:fs";
import { rendered, type Painted } from "./painted.js";

/** A stream that is a terminal. */
export type Terminal = NodeJS.WriteStream & { readonly fd: number };

/** Control sequences of a terminal. */
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CUT_LINES = "\u001b[?7l";
const WRAP_LINES = "\u001b[?7h";
const CLEAR_REST_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** The width that is assumed if the terminal does not tell. */
const USUAL_COLUMNS = 80;

let live: LiveBlock | undefined;

/** Writes whole lines to standard output or error, above the live block if one is shown. */
export function writeLines(stream: NodeJS.WriteStream, text: string): void {
  if (live === undefined || !stream.isTTY) stream.write(text);
  else live.writeAbove(stream, text);
}

/**
 * A few lines at the end of a terminal that are drawn again and again. While it is shown the cursor is hidden
 * and lines are cut at the edge; however the process ends or is suspended, both are as before.
 */
export class LiveBlock {
  readonly #stream: Terminal;
  #lines: readonly Painted[] = [];

  constructor(stream: Terminal) {
    this.#stream = stream;
    stream.write(HIDE_CURSOR + CUT_LINES);
    process.once("exit", this.#restore);
    process.on("SIGTSTP", this.#suspend);
    // oxlint-disable-next-line typescript/no-this-alias
    live = this;
  }

  get columns(): number {
    return this.#stream.columns ?? USUAL_COLUMNS;
  }

  /** Draws `lines` in place of those before; each must be narrower than the terminal. */
  draw(lines: readonly Painted[]): void {
    const start = this.#toStart();
    this.#lines = lines;
    this.#stream.write(start + this.#drawn());
  }

  /** Writes whole lines that stay, to `stream`, and the block below them. */
  writeAbove(stream: NodeJS.WriteStream, text: string): void {
    this.#stream.write(this.#toStart() + CLEAR_BELOW + WRAP_LINES);
    stream.write(text);
    this.#stream.write(CUT_LINES + this.#drawn());
  }

  /** Takes the block away. Safe to call twice. */
  end(): void {
    if (live !== this) return;
    live = undefined;
    process.off("exit", this.#restore);
    process.off("SIGTSTP", this.#suspend);
    this.#stream.write(this.#toStart() + CLEAR_BELOW + WRAP_LINES + SHOW_CURSOR);
  }

  #drawn(): string {
    const lines = this.#lines.map((line) => rendered(line, this.#stream) + CLEAR_REST_OF_LINE);
    return lines.join("\n") + CLEAR_BELOW;
  }

  /** The way to the first column of the block. A terminal that became narrower has wrapped its lines. */
  #toStart(): string {
    const rows = this.#lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(String(line).length / this.columns)),
      0,
    );
    return rows > 1 ? `\r\u001b[${rows - 1}A` : "\r";
  }

  /** Puts the terminal back as it was; the end of the process waits for nothing. */
  readonly #restore = (): void => {
    writeSync(this.#stream.fd, this.#toStart() + CLEAR_BELOW + WRAP_LINES + SHOW_CURSOR);
  };

  /** Ctrl-Z: gives the terminal back, stops, and draws the block anew where the shell has left the cursor. */
  readonly #suspend = (): void => {
    this.#restore();
    // Without a listener the signal does what it does to every process; where no shell could wake it up, nothing.
    process.off("SIGTSTP", this.#suspend);
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", this.#suspend);
    this.#stream.write(`\r${HIDE_CURSOR}${CUT_LINES}${this.#drawn()}`);
  };
}
