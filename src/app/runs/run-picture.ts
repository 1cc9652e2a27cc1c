import type { RunSeries } from "../../core/run-series.js";
import { MIN_PACE_SPAN_MS, secondsLeft, speedOf, type RunSpeed } from "../../core/run-speed.js";
import type { RunInfo } from "../../redis/run-info.js";
import { listWorkers, type WorkerAnnouncement } from "../../redis/worker-registry.js";
import type { RunStatus } from "../../runs/run-status.js";
import type { Run } from "./run.js";
import type { Runs } from "./runs.js";

/** All that is shown of a run while it goes, at one moment. */
export interface RunPicture {
  readonly info: RunInfo;
  readonly status: RunStatus;
  readonly speed: RunSpeed | undefined;
  readonly secondsLeft: number | undefined;
  readonly series: RunSeries;
  readonly owner: string | undefined;
  /** Those that serve the run's model at present. */
  readonly workers: readonly WorkerAnnouncement[];
}

/** @throws RankmillError `run_not_found` if the run is gone */
export async function takePicture({ redis, store }: Runs, run: Run): Promise<RunPicture> {
  const status = await run.status();
  const info = await store.read(run.id);
  const samples = status.over ? [] : await store.sample(run.id, status.counts);
  const speed = speedOf(samples, MIN_PACE_SPAN_MS);
  const [series, owner, workers] = await Promise.all([
    store.history.series(run.id),
    store.owner(run.id),
    listWorkers(redis, info.tag),
  ]);
  return {
    info,
    status,
    speed,
    secondsLeft: status.over ? undefined : secondsLeft(status.waiting + status.active, speed),
    series,
    // The rest of the lease's holder is random.
    owner: owner?.split(":").slice(0, 2).join(":"),
    workers,
  };
}
