import { secondsLeft } from "../../core/run-speed.js";
import type { RunFigures } from "../../redis/run-history.js";
import type { RunInfo } from "../../redis/run-info.js";
import { CANCELLED } from "../../runs/run-item.js";
import type { RunState } from "../../runs/run-status.js";
import type { Runs } from "./runs.js";

/** A run as one of many: what its last figures say. */
export interface RunRow {
  readonly id: string;
  readonly state: RunState;
  readonly model: string;
  readonly precision: string;
  /** See `ModelKey.form`. */
  readonly form?: string | undefined;
  readonly input: string;
  readonly createdAt: string;
  readonly total: number;
  readonly done: number;
  /** Those that a cancellation has stopped among them. */
  readonly failed: number;
  readonly stopped: number;
  /** Undefined: not known, nothing moves, or the run is over. */
  readonly pairsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** Figures that are older say nothing of the speed: whoever put them down has gone. */
const FRESH_MS = 30_000;

/**
 * Rows for runs, in order: a fixed number of commands for each. A run that is over and whose last figures nobody
 * has put down is counted once, and remembered.
 */
export async function rowsOf(
  runs: Runs,
  found: readonly (readonly [string, RunInfo])[],
): Promise<RunRow[]> {
  const { history } = runs.store;
  const kept = await history.figures(found.map(([id]) => id));
  return await Promise.all(
    found.map(async ([id, info], place) => {
      const { figures, isLast } = kept[place] ?? { figures: undefined, isLast: false };
      if (isOver(info.state))
        return rowOf(id, info, isLast ? figures : await count(runs, id, info));
      return rowOf(id, info, await newest(runs, id, info, figures));
    }),
  );
}

/** The owner of a spooled run puts its progress down more often than its history. */
async function newest(
  { store }: Runs,
  id: string,
  info: RunInfo,
  figures: RunFigures | undefined,
): Promise<RunFigures | undefined> {
  if (info.spooled !== "yes") return figures;
  const { counts } = await store.readProgress(id);
  return { ...figures, atMs: figures?.atMs ?? 0, total: info.total, counts };
}

async function count(runs: Runs, id: string, info: RunInfo): Promise<RunFigures> {
  const { total, counts } = await runs.of(id, info).status();
  await runs.store.history.note(id, { total, counts, speed: undefined, isLast: true });
  return { atMs: 0, total, counts };
}

function rowOf(id: string, info: RunInfo, figures: RunFigures | undefined): RunRow {
  const { state, model, precision, form, input, createdAt, total } = info;
  const { done = 0, failed = 0 } = figures?.counts ?? {};
  const stopped = figures?.counts.failedByCode[CANCELLED.code] ?? 0;
  const over = isOver(state);
  const isFresh = !over && Date.now() - (figures?.atMs ?? 0) < FRESH_MS;
  const { recordsPerSecond = 0, pairsPerSecond } = (isFresh && figures) || {};
  return {
    id,
    state,
    model,
    precision,
    form,
    input,
    createdAt,
    total,
    done,
    failed,
    stopped,
    pairsPerSecond,
    secondsLeft: over
      ? undefined
      : secondsLeft(total - done - failed, {
          recordsPerSecond,
          pairsPerSecond: pairsPerSecond ?? 0,
          tokensPerSecond: 0,
          overSeconds: 0,
        }),
  };
}

export function isOver(state: RunState): boolean {
  return state === "complete" || state === "cancelled" || state === "failed";
}
