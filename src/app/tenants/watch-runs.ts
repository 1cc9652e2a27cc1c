import { setTimeout as sleep } from "node:timers/promises";
import { RankmillError } from "../../core/errors.js";
import type { RunStatus } from "../../runs/run-status.js";
import type { Run } from "../runs/run.js";

const POLL_MS = 1_000;

/** A run that has moved on. */
export interface RunProgress {
  readonly id: string;
  readonly status: RunStatus;
}

/**
 * Tells how runs stand: each at once, and again whenever that has changed; ends once all are over, or `signal`
 * aborts. Runs that were purged meanwhile are left out. `quiet` is told once a round, for those who must show that they live.
 */
export async function* watchRuns(
  runs: readonly Run[],
  signal: AbortSignal,
): AsyncGenerator<RunProgress | "quiet", void, undefined> {
  const told = new Map<string, string>();
  const open = new Map(runs.map((run) => [run.id, run]));
  while (!signal.aborted) {
    for (const run of open.values()) {
      const status = await run.status().catch(goneAsUndefined);
      if (status === undefined || status.over) open.delete(run.id);
      if (status === undefined) continue;
      const text = JSON.stringify(status);
      if (told.get(run.id) === text) continue;
      told.set(run.id, text);
      yield { id: run.id, status };
    }
    if (open.size === 0) return;
    yield "quiet";
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function goneAsUndefined(error: unknown): undefined {
  if (error instanceof RankmillError && error.code === "run_not_found") return undefined;
  throw error;
}
