import { Presets, SingleBar } from "cli-progress";
import {
  SPEED_WINDOW_MS,
  speedOf,
  secondsLeft,
  type SpeedSample,
} from "../../src/core/run-speed.js";

/** What a progress display shows. */
export interface ProgressFigures {
  readonly done: number;
  readonly failed: number;
  /** Undefined while the input's end is not known. */
  readonly total: number | undefined;
  readonly pairs: number;
  readonly tokens: number;
}

interface Payload {
  readonly ended: number;
  readonly of: string;
  readonly failed: number;
  /** A second, as are tokens. */
  readonly pairs: string;
  readonly tokens: string;
  readonly left: string;
}

/** A plain line where a machine reads; often enough to see life, seldom enough for a log. */
const PLAIN_INTERVAL_MS = 5_000;
const BAR_INTERVAL_MS = 100;

/** Shows how far a run is, on standard error: a bar on a terminal, else a line every few seconds. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #figures: () => ProgressFigures;
  readonly #bar: SingleBar | undefined;
  readonly #timer: NodeJS.Timeout;
  #samples: SpeedSample[] = [];

  constructor(stream: NodeJS.WriteStream, figures: () => ProgressFigures) {
    this.#stream = stream;
    this.#figures = figures;
    this.#sample();
    if (stream.isTTY) {
      this.#bar = new SingleBar(
        {
          stream,
          format:
            "{bar} {ended}/{of} · {failed} failed · {pairs} pairs/s · {tokens} tokens/s · ETA {left}",
          hideCursor: true,
          barsize: 28,
          // A run's own signal handling must put the terminal back, not the bar's.
          gracefulExit: false,
        },
        Presets.shades_classic,
      );
      this.#bar.start(1, 0, this.#payload());
    }
    this.#timer = setInterval(
      () => this.#draw(),
      this.#bar === undefined ? PLAIN_INTERVAL_MS : BAR_INTERVAL_MS,
    );
  }

  /** Shows the last state and ends the display. */
  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#bar?.stop();
  }

  #draw(): void {
    this.#sample();
    const { total } = this.#figures();
    const payload = this.#payload();
    if (this.#bar === undefined) {
      this.#stream.write(
        `${payload.ended}/${payload.of} records · ${payload.failed} failed · ${payload.pairs} pairs/s · ${payload.tokens} tokens/s · ETA ${payload.left}\n`,
      );
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

/** `1 h 5 min`, `3 min 20 s`, `12 s`; `–` where it is not known. */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
