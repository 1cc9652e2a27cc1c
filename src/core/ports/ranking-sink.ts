import type { RecordFailure } from "../record.js";
import type { RunCounts } from "../run-counts.js";

/**
 * The place that takes a run's rankings and failures. Calls may overlap: reader and collector of a run
 * both report failures.
 *
 * Suite: `test/conformance/ranking-sink.suite.ts`. `src/outputs/collector.ts` holds what all share.
 */
export interface RankingSink {
  /** Counts of written and failed records, earlier owners' rankings included. */
  readonly counts: RunCounts;
  /** @param lines output lines without newline */
  write(lines: readonly string[]): Promise<void>;
  fail(failures: readonly RecordFailure[]): Promise<void>;
  /** Makes written lines durable: they outlive this process when it resolves. */
  flush(): Promise<void>;
}
