import type { RankingSink } from "../core/ports/ranking-sink.js";
import { failureLine, type RecordFailure } from "../core/record.js";
import { countFailure, countLine, emptyCounts, type RunCounts } from "../core/run-counts.js";

/** Failures that are remembered. */
const FIRST_FAILURES = 3;

/**
 * The part that every sink shares: one write after another, though rankings and failures come from several
 * sides at once, and counts of what was written. A large write takes several calls of the system; two
 * at once would mix their lines.
 */
export abstract class Collector implements RankingSink {
  readonly counts: RunCounts;
  /** The first failures, without their inputs: enough to say what is wrong with a file. */
  readonly firstFailures: RecordFailure[] = [];
  /** The newest write; it never rejects. */
  #last: Promise<void> = Promise.resolve();

  /** @param counts what is there already */
  constructor(counts: RunCounts = emptyCounts()) {
    this.counts = counts;
  }

  /** @param lines rankings, without newline */
  protected abstract append(lines: readonly string[]): Promise<void>;
  protected abstract appendFailures(failures: readonly RecordFailure[]): Promise<void>;
  /** Makes what was appended outlive this process. */
  protected abstract sync(): Promise<void>;

  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#next(async () => await this.append(lines));
    for (const line of lines) countLine(line, this.counts);
  }

  async fail(failures: readonly RecordFailure[]): Promise<void> {
    if (failures.length === 0) return;
    await this.#next(async () => await this.appendFailures(failures));
    for (const failure of failures) {
      countFailure(failure.code, this.counts);
      if (this.firstFailures.length >= FIRST_FAILURES) continue;
      const { inputText: _, ...rest } = failure;
      this.firstFailures.push({ ...rest, input: null });
    }
  }

  async flush(): Promise<void> {
    await this.#next(async () => await this.sync());
  }

  /** Waits for every write so far: before anything is closed. */
  protected async settled(): Promise<void> {
    await this.#last;
  }

  async #next(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {});
    await done;
  }
}

/** Rankings as the lines of a file. */
export function asText(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Failures as the lines of a file. */
export function asFailureText(failures: readonly RecordFailure[]): string {
  return failures.map((failure) => `${failureLine(failure)}\n`).join("");
}
