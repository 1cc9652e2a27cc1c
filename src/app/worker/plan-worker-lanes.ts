import { planLanes } from "../../capacity/plan-lanes.js";
import type { LanePlan, LanePlanRequest } from "../../capacity/lane-plan.js";
import { CPU_DEVICE, deviceOf, type WorkerDevice } from "../../inference/devices/registry.js";
import { laneModelOf, type BatchFilling } from "../../inference/lanes/lane-model.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import { modelSource, requireFileNumbers } from "./prepared-model.js";

export interface WorkerLanesRequest extends Omit<LanePlanRequest, "device" | "laneModel"> {
  /** Default: the CPU. */
  readonly device?: WorkerDevice | undefined;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  readonly filling: BatchFilling;
  /** Holds prepared models; the model runs as it is if absent. */
  readonly preparedDir?: string | undefined;
}

/** A plan, and the environment in which its lanes start. */
export interface WorkerLanes {
  readonly plan: LanePlan;
  readonly env: LanePlanRequest["env"];
}

/**
 * Finds the files that a worker's lanes load, prepares them if the device can use that, and plans the lanes.
 *
 * @throws RankmillError `memory_too_small`, or why no lane can run the model
 */
export async function planWorkerLanes(request: WorkerLanesRequest): Promise<WorkerLanes> {
  const { model, preparedDir, logger, device = CPU_DEVICE, runtime } = request;
  const { loadsPrepared, laneEnv } = deviceOf(device.kind);
  const env = laneEnv(request.env, device);
  if (!loadsPrepared) requireFileNumbers(model);
  const source = loadsPrepared
    ? await modelSource(model, preparedDir, env, logger, runtime)
    : { onnxPath: model.onnxPath, head: model.head };
  const highestLength = model.maxLength.highest;
  const laneModel = laneModelOf(source, request.filling, { device, runtime, highestLength });
  return { plan: await planLanes({ ...request, device, env, laneModel }), env };
}
