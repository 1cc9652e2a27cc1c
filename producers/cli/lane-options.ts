import type { LaneOptions } from "../../src/app/worker/worker-options.js";
import { calibrationDir } from "./context.js";
import type { LaneValues } from "./options/lanes.js";
import type { WorkerValues } from "./options/worker.js";

/** The settings of a worker: the values of both groups, with the folder of measurements. */
export function laneOptions(
  { calibrate, ...lanes }: LaneValues,
  worker: WorkerValues,
): LaneOptions {
  return {
    ...lanes,
    ...worker,
    calibrationDir: calibrate ? calibrationDir(lanes.calibrationDir) : undefined,
  };
}
