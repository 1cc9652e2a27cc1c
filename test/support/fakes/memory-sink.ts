import type { RecordFailure } from "../../../src/core/record.js";
import { Collector } from "../../../src/outputs/collector.js";

/** A sink in memory, for runs whose rankings are looked at and thrown away. It can be told to fail. */
export class MemorySink extends Collector {
  readonly lines: string[] = [];
  readonly failures: RecordFailure[] = [];
  /** Rankings and failures there were at the newest flush. */
  flushed = 0;
  /** The error of every write from now on. */
  error: Error | undefined;

  get ids(): string[] {
    return this.lines.map((line) => (JSON.parse(line) as { id: string }).id);
  }

  protected async append(lines: readonly string[]): Promise<void> {
    if (this.error !== undefined) throw this.error;
    this.lines.push(...lines);
    await Promise.resolve();
  }

  protected async appendFailures(failures: readonly RecordFailure[]): Promise<void> {
    this.failures.push(...failures);
    await Promise.resolve();
  }

  protected async sync(): Promise<void> {
    this.flushed = this.lines.length + this.failures.length;
    await Promise.resolve();
  }
}
