import { formatCount, formatDuration } from "../figures.js";
import { cutText } from "./cut-text.js";
import { LiveBlock, type Terminal } from "./live-block.js";
import { paint, painted, type Painted } from "./painted.js";
import { progressBar } from "./progress-lines.js";
import { say } from "./terminal.js";

const INTERVAL_MS = 100;
/** A longer name of a file is cut: the line fits 60 columns. */
const MOST_NAME_COLUMNS = 45;
const STDIN = "standard input";
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Shows on a terminal how many records of an input are submitted; a pipe gets nothing. */
export class SubmitProgress {
  readonly #stream: Terminal;
  readonly #input: string;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  /** Drawn a moment later: a small file is submitted by then. */
  #block: LiveBlock | undefined;
  #records = 0;
  #firstMs = 0;
  #total: number | undefined;

  /** @param total counts the records of the input; asked only if they are shown */
  constructor(stream: Terminal, input: string, total: () => Promise<number | undefined>) {
    this.#stream = stream;
    this.#input = input === "-" ? STDIN : input;
    if (!stream.isTTY) return;
    this.#timer = setInterval(() => this.#draw(), INTERVAL_MS);
    for (const name of SIGNALS) process.on(name, this.#end);
    // What cannot be counted is told by the submission itself.
    total().then(
      (count) => (this.#total = count),
      () => {},
    );
  }

  /** Takes over how many records are submitted by now. */
  note(records: number): void {
    if (this.#records === 0) this.#firstMs = performance.now();
    this.#records = records;
  }

  /** Takes the block away. Safe to call twice. */
  stop(): void {
    clearInterval(this.#timer);
    this.#block?.end();
    for (const name of SIGNALS) process.off(name, this.#end);
  }

  readonly #end = (_: string, number: number): void => {
    this.stop();
    // What came by standard input is not read twice.
    say(this.#input === STDIN ? "interrupted" : "interrupted; the same command goes on");
    process.exit(128 + number);
  };

  #draw(): void {
    this.#block ??= new LiveBlock(this.#stream);
    this.#block.draw(
      this.#records === 0
        ? [paint("dim", `reading ${cutText(this.#input, MOST_NAME_COLUMNS)} …`)]
        : submitLines(
            {
              records: this.#records,
              total: this.#total,
              elapsedSeconds: (performance.now() - this.#startedMs) / 1_000,
              feedingSeconds: (performance.now() - this.#firstMs) / 1_000,
            },
            this.#block.columns,
          ),
    );
  }
}

interface SubmitFigures {
  readonly records: number;
  /** Undefined if it is not known. */
  readonly total: number | undefined;
  readonly elapsedSeconds: number;
  /** Since the first records were taken in. */
  readonly feedingSeconds: number;
}

/** Two lines, which fit 60 columns. */
function submitLines(figures: SubmitFigures, columns: number): Painted[] {
  const { records, total, elapsedSeconds, feedingSeconds } = figures;
  const share = total === undefined || total === 0 ? undefined : Math.min(1, records / total);
  const of = total === undefined ? "" : `/${formatCount(total)}`;
  const percent = share === undefined ? "" : `${Math.floor(share * 100)} %  `;
  const counts = `${percent}${formatCount(records)}${of} records submitted`;
  const [full, rest] = progressBar(share, columns - counts.length - 1);
  const perSecond = feedingSeconds > 0 ? records / feedingSeconds : 0;
  const left =
    total === undefined || perSecond === 0
      ? "time left not known"
      : `${formatDuration(Math.max(0, total - records) / perSecond)} left`;
  const pace = `${formatCount(perSecond)} records/s · ${formatDuration(elapsedSeconds)} elapsed · `;
  return [
    painted`${paint("green", full)}${paint("dim", rest)}${counts}`,
    painted`${paint("dim", pace)}${left}`,
  ];
}
