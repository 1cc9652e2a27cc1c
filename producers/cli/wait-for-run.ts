import type { Run } from "../../src/app/runs/run.js";
import { emptyCounts } from "../../src/core/run-counts.js";
import { EXIT } from "./exit-codes.js";
import { Progress } from "./progress.js";

/** Shows progress until the run is over. @returns the exit code that says how it ended */
export async function waitForRun(run: Run): Promise<number> {
  let shown = { ...emptyCounts(), total: 0 };
  let progress: Progress | undefined;
  try {
    const { counts } = await run.untilOver({
      onStatus: ({ counts, total }) => {
        shown = { ...counts, total };
        progress ??= new Progress(process.stderr, () => shown);
      },
    });
    return counts.failed === 0 ? EXIT.ok : EXIT.someFailed;
  } finally {
    progress?.stop();
  }
}
