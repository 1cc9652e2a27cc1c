import type { RecordFailure } from "../record.js";
import type { RunCounts } from "../run-counts.js";

/**
 * The place that takes a run's rankings and failures. Calls may overlap: reader and collector of a run
 * both report failures.
 *
 * Suite: `test/conformance/ranking-sink.suite.ts`. `src/outputs/collector.ts` holds what all share.
 */
export interface RankingSink {
  /** What was written and failed, earlier owners' rankings included. */
  readonly counts: RunCounts;
  /** @param lines output lines without newline */
  write(lines: readonly string[]): Promise<void>;
  fail(failures: readonly RecordFailure[]): Promise<void>;
  /** What was written outlives this process when it resolves. */
  flush(): Promise<void>;
}
