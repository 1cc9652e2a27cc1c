import type { RecordFailure } from "../record.js";

/** Where a run's rankings and failures go. */
export interface RankingSink {
  /** @param lines output lines without newline */
  write(lines: readonly string[]): Promise<void>;
  fail(failures: readonly RecordFailure[]): Promise<void>;
  /** On disk when it resolves. */
  flush(): Promise<void>;
}
