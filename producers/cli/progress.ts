import { writeSync } from "node:fs";
import process from "node:process";
import { Presets, SingleBar } from "cli-progress";
import {
  SPEED_WINDOW_MS,
  speedOf,
  secondsLeft,
  type SpeedSample,
} from "../../src/core/run-speed.js";
import { printable } from "./printable.js";

/** The figures of a progress display. */
export interface ProgressFigures {
  readonly done: number;
  readonly failed: number;
  /** Undefined while the input's end is not known. */
  readonly total: number | undefined;
  readonly pairs: number;
  readonly tokens: number;
}

type Terminal = NodeJS.WriteStream & { readonly fd: number };

interface Payload {
  readonly ended: number;
  readonly of: string;
  readonly failed: number;
  /** Pairs per second. */
  readonly pairs: string;
  /** Tokens per second. */
  readonly tokens: string;
  readonly left: string;
}

/** The interval of plain lines, if a machine reads them: often enough to see life, seldom enough for a log. */
const PLAIN_INTERVAL_MS = 5_000;
const BAR_INTERVAL_MS = 100;
/** The widest bar, and the narrowest that is worth its room, in columns. */
const MAX_BAR_COLUMNS = 28;
const MIN_BAR_COLUMNS = 6;
/** Control sequences of a terminal; the bar sends the opposite of the last two. */
const CLEAR_LINE = "\u001b[2K";
const SHOW_CURSOR = "\u001b[?25h";
const WRAP_LINES = "\u001b[?7h";

/** Shows how far a run is, on standard error: a bar on a terminal, else a line every few seconds. */
export class Progress {
  readonly #stream: Terminal;
  readonly #figures: () => ProgressFigures;
  readonly #bar: SingleBar | undefined;
  readonly #timer: NodeJS.Timeout;
  #samples: SpeedSample[] = [];
  #stopped = false;

  constructor(stream: Terminal, figures: () => ProgressFigures) {
    this.#stream = stream;
    this.#figures = figures;
    this.#sample();
    if (stream.isTTY) {
      this.#bar = new SingleBar(
        {
          stream,
          format: (_options, { progress: share, maxWidth }) =>
            barLine(share, describe(this.#payload()), maxWidth),
          hideCursor: true,
          // The bar would end the process at the first signal, while a run still ends in order.
          gracefulExit: false,
        },
        Presets.shades_classic,
      );
      this.#bar.start(1, 0, this.#payload());
      process.once("exit", this.#restore);
    }
    this.#timer = setInterval(
      () => this.#draw(),
      this.#bar === undefined ? PLAIN_INTERVAL_MS : BAR_INTERVAL_MS,
    );
  }

  /** Shows the last state and ends the display. Safe to call twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#draw();
    this.#bar?.stop();
    process.off("exit", this.#restore);
  }

  /** Writes one line for people, above the bar if there is one. */
  say(line: string): void {
    const shown = printable(line);
    this.#stream.write(
      this.#bar === undefined || this.#stopped ? `${shown}\n` : `\r${CLEAR_LINE}${shown}\n`,
    );
  }

  /** Puts the terminal back as it was; the end of the process waits for nothing. */
  readonly #restore = (): void => {
    writeSync(this.#stream.fd, `${SHOW_CURSOR}${WRAP_LINES}\n`);
  };

  #draw(): void {
    this.#sample();
    const { total } = this.#figures();
    const payload = this.#payload();
    if (this.#bar === undefined) {
      this.#stream.write(`${describe(payload)}\n`);
      return;
    }
    this.#bar.setTotal(Math.max(1, total ?? payload.ended));
    this.#bar.update(total === 0 ? 1 : payload.ended, payload);
  }

  #sample(): void {
    const { done, failed, pairs, tokens } = this.#figures();
    const atMs = performance.now();
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= SPEED_WINDOW_MS);
    this.#samples.push({ atMs, pairs, tokens, ended: done + failed });
  }

  #payload(): Payload {
    const { done, failed, total } = this.#figures();
    const ended = done + failed;
    const pace = speedOf(this.#samples, 0);
    return {
      ended,
      of: total === undefined ? "?" : String(total),
      failed,
      pairs: (pace?.pairsPerSecond ?? 0).toFixed(0),
      tokens: (pace?.tokensPerSecond ?? 0).toFixed(0),
      left: formatDuration(total === undefined ? undefined : secondsLeft(total - ended, pace)),
    };
  }
}

function describe({ ended, of, failed, pairs, tokens, left }: Payload): string {
  return `${ended}/${of} records · ${failed} failed · ${pairs} pairs/s · ${tokens} tokens/s · ETA ${left}`;
}

/** The figures behind a bar that takes the room they leave: the end of the line is what people wait for. */
export function barLine(share: number, figures: string, columns: number): string {
  // One for the blank between them, and one at the end: whatever stands in the last column is erased.
  const room = Math.min(MAX_BAR_COLUMNS, columns - figures.length - 2);
  if (room < MIN_BAR_COLUMNS) return figures;
  const full = Math.round(Math.min(1, Math.max(0, share)) * room);
  return `${"█".repeat(full)}${"░".repeat(room - full)} ${figures}`;
}

/** `1 h 5 min`, `3 min 20 s`, `12 s`; `–` if it is not known. */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
