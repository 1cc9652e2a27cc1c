import type { CommandValues } from "./command-options.js";
import { DEVICE } from "./device.js";
import { LANES } from "./lanes.js";
import { LIMITS } from "./limits.js";
import { MODEL } from "./model.js";
import { WORKER } from "./worker.js";

/** The options that make a worker. */
export const WORKER_GROUPS = {
  model: MODEL,
  device: DEVICE,
  lanes: LANES,
  worker: WORKER,
  limits: LIMITS,
};

export type WorkerValues = CommandValues<typeof WORKER_GROUPS>;
