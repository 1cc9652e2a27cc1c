import { setTimeout as sleep } from "node:timers/promises";
import { isOver, lookAt, type OpenRun } from "../../src/app/runs/open-run.js";
import { EXIT } from "./exit-codes.js";
import { Progress } from "./progress.js";

const POLL_MS = 1_000;

/** Shows progress until the run is over. @returns the exit code that says how it ended */
export async function waitForRun(run: string, parts: OpenRun): Promise<number> {
  let record = await parts.store.read(run);
  let status = await lookAt(run, record, parts);
  const progress = new Progress(process.stderr, () => ({ ...status.counts, total: status.total }));
  try {
    while (!isOver(record, status)) {
      await sleep(POLL_MS);
      record = await parts.store.read(run);
      status = await lookAt(run, record, parts);
    }
  } finally {
    progress.stop();
  }
  return status.counts.failed === 0 ? EXIT.ok : EXIT.someFailed;
}
