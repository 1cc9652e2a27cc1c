import type { RunInfo } from "../../redis/run-store.js";
import { cancelledItems, runItems, type RunItem, type RunParts } from "../../runs/submitted-run.js";
import type { Spool } from "../../core/ports/spool.js";

/** Every record of a run; those of a spooled run in order of arrival. */
export async function* itemsOf(
  run: string,
  record: RunInfo,
  parts: RunParts,
  openSpool: () => Promise<Spool>,
): AsyncGenerator<RunItem, void, undefined> {
  if (record.spooled === "no") {
    yield* runItems(run, record, parts);
    return;
  }
  const spool = await openSpool();
  const cancelled = record.state === "cancelled";
  const doneIds = new Set<string>();
  const failedLines = new Set<number>();
  let open = record.total;
  for await (const line of spool.rankings(run)) {
    open -= 1;
    // Only what is left of a cancelled run must be told from what is done.
    if (cancelled) doneIds.add((JSON.parse(line) as { id: string }).id);
    yield { status: "done", line };
  }
  for await (const failure of spool.failures(run)) {
    open -= 1;
    if (cancelled) failedLines.add(failure.line);
    yield { status: "failed", failure };
  }
  if (cancelled) yield* cancelledItems(spool.records(run, doneIds), failedLines);
  else for (; open > 0; open -= 1) yield { status: "open" };
}
