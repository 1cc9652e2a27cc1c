import {
  SPEED_WINDOW_MS,
  secondsLeft,
  speedOf,
  type SpeedSample,
} from "../../src/core/run-speed.js";
import { LiveBlock, type Terminal } from "./live-block.js";
import { progressBlock, progressLine, type Pace, type ProgressFigures } from "./progress-lines.js";

/** The interval of plain lines, if a machine reads them: often enough to see life, seldom enough for a log. */
const PLAIN_INTERVAL_MS = 5_000;
const BLOCK_INTERVAL_MS = 100;

/** Shows how far a run is, on standard error: a live block on a terminal, else a line every few seconds. */
export class Progress {
  readonly #stream: Terminal;
  readonly #figures: () => ProgressFigures;
  readonly #block: LiveBlock | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #samples: SpeedSample[] = [];
  #stopped = false;

  /** @param live false: plain lines on a terminal too, because something else writes there */
  constructor(stream: Terminal, figures: () => ProgressFigures, live = true) {
    this.#stream = stream;
    this.#figures = figures;
    this.#sample();
    if (stream.isTTY && live) {
      this.#block = new LiveBlock(stream);
      this.#draw();
    }
    this.#timer = setInterval(
      () => this.#draw(),
      this.#block === undefined ? PLAIN_INTERVAL_MS : BLOCK_INTERVAL_MS,
    );
  }

  /** Ends the display: a block is taken away, and lines end with the last state. Safe to call twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    if (this.#block === undefined) this.#draw();
    else this.#block.end();
  }

  #draw(): void {
    this.#sample();
    const figures = this.#figures();
    const pace = this.#pace(figures);
    if (this.#block === undefined) this.#stream.write(`${progressLine(figures, pace)}\n`);
    else this.#block.draw(progressBlock(figures, pace, this.#block.columns));
  }

  #sample(): void {
    const { done, failed, pairs, tokens } = this.#figures();
    const atMs = performance.now();
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= SPEED_WINDOW_MS);
    this.#samples.push({ atMs, pairs, tokens, ended: done + failed });
  }

  #pace({ done, failed, total }: ProgressFigures): Pace {
    const speed = speedOf(this.#samples, 0);
    return {
      speed,
      elapsedSeconds: (performance.now() - this.#startedMs) / 1_000,
      leftSeconds: total === undefined ? undefined : secondsLeft(total - done - failed, speed),
    };
  }
}
