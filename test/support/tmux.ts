/** A terminal of a given width that a test types on and sees: tmux, with a shell in which `rankmill` is the compiled program. */
import { execFileSync } from "node:child_process";
import { MAIN, type Bench } from "./cli.js";
import { until } from "./until.js";

const ROWS = 24;
const PROMPT = "$";

export class Tmux {
  readonly #socket: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(bench: Bench) {
    this.#socket = bench.path("tmux.sock");
    this.#env = { ...bench.env, TERM: "screen-256color", LC_ALL: "C.UTF-8" };
  }

  static async open(bench: Bench, columns: number): Promise<Tmux> {
    const tmux = new Tmux(bench);
    const size = ["-x", String(columns), "-y", String(ROWS)];
    tmux.#ask(["-f", "/dev/null", "new-session", "-d", ...size, "-c", bench.folder, "sh"]);
    // No function: in a pipeline the shell of one dies of Ctrl-C before the program that it waits for.
    const program = `alias rankmill="'${process.execPath}' '${MAIN}'"`;
    await tmux.enter(`PS1='${PROMPT} '; ${program}; clear`);
    await tmux.untilIdle();
    return tmux;
  }

  /** Types a line and Enter. */
  async enter(line: string): Promise<void> {
    this.#ask(["send-keys", "-l", line]);
    this.#ask(["send-keys", "Enter"]);
    await Promise.resolve();
  }

  /** Presses a key by tmux' name for it: `C-c`. */
  press(key: string): void {
    this.#ask(["send-keys", key]);
  }

  /** The rows of the screen, without the blanks at their ends and the empty ones at the end. */
  rows(): string[] {
    return this.#ask(["capture-pane", "-p"]).trimEnd().split("\n");
  }

  /** The screen with its colours. */
  inColour(): string {
    return this.#ask(["capture-pane", "-p", "-e"]);
  }

  resize(columns: number): void {
    this.#ask(["resize-window", "-x", String(columns), "-y", String(ROWS)]);
  }

  /** Whether the terminal shows its cursor and wraps lines: `1 1`. */
  flags(): string {
    return this.#ask(["display", "-p", "#{cursor_flag} #{wrap_flag}"]).trim();
  }

  async untilShown(text: string | RegExp): Promise<string[]> {
    let rows: string[] = [];
    await until(
      `the terminal shows ${String(text)}`,
      () => {
        rows = this.rows();
        return rows.some((row) => (typeof text === "string" ? row.includes(text) : text.test(row)));
      },
      () => rows.join("\n"),
    );
    return rows;
  }

  /** Waits until the shell asks for the next command. */
  async untilIdle(): Promise<void> {
    await until(
      "the shell waits for a command",
      () => this.rows().at(-1)?.endsWith(PROMPT) === true,
      () => this.rows().join("\n"),
    );
  }

  close(): void {
    this.#ask(["kill-server"]);
  }

  #ask(args: readonly string[]): string {
    return execFileSync("tmux", ["-S", this.#socket, ...args], {
      env: this.#env,
      encoding: "utf8",
    });
  }
}
