import type { Run } from "../../src/app/runs/run.js";
import { emptyCounts } from "../../src/core/run-counts.js";
import { say } from "./terminal.js";
import { EXIT } from "./exit-codes.js";
import { Progress } from "./progress.js";
import { stopSignal } from "./stop-signal.js";

/** For closing what is open; a Redis that does not answer is waited for no longer. */
const STOP_DEADLINE_MS = 2_000;

/**
 * Shows progress until the run is over, or until a signal ends the wait; the run then goes on.
 *
 * @returns the exit code that says how it ended
 */
export async function waitForRun(run: Run): Promise<number> {
  const signal = stopSignal({ deadlineMs: STOP_DEADLINE_MS });
  let shown = { ...emptyCounts(), total: 0 };
  let progress: Progress | undefined;
  try {
    const { counts } = await run.untilOver({
      onStatus: ({ counts, total }) => {
        shown = { ...counts, total };
        progress ??= new Progress(process.stderr, () => shown);
      },
      signal,
    });
    return counts.failed === 0 ? EXIT.ok : EXIT.someFailed;
  } catch (error) {
    if (!signal.aborted) throw error;
    progress?.stop();
    say(`interrupted; run ${run.id} goes on`);
    return EXIT.interrupted;
  } finally {
    progress?.stop();
  }
}
