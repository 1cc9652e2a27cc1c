/** The first step of a start: decides which files the lanes load, on what, how many and in how much memory. */
import { planLanes, type LanePlan } from "../../capacity/cpu-plan.js";
import { planCudaLanes } from "../../capacity/cuda-plan.js";
import { DEFAULT_LIMITS, type Limits } from "../../core/contract.js";
import type { WorkerDevice } from "../../core/device.js";
import { cudaEnv } from "../../inference/devices/cuda/cuda-env.js";
import type { LaneModel } from "../../inference/lanes/lane-protocol.js";
import { LANE_ENTRY } from "../../platform/process-entries.js";
import { modelTag } from "../../redis/keys.js";
import { modelSource } from "./prepared-model.js";
import { LANE_OPEN_TIMEOUT_MS, type WorkerOptions } from "./worker-options.js";

export interface WorkerPlan {
  readonly tag: string;
  readonly device: WorkerDevice;
  /** Variables that lanes get. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits: Limits;
  /** The model as lanes load it. */
  readonly laneModel: LaneModel;
  readonly lanes: LanePlan;
}

/**
 * Prepares and calibrates the model if that was never done on this host.
 *
 * @throws RankmillError if no lane can run the model, or memory does not hold one
 */
export async function planWorker(options: WorkerOptions): Promise<WorkerPlan> {
  const { model, device = { kind: "cpu" }, limits = DEFAULT_LIMITS } = options;
  const env = device.kind === "cuda" ? cudaEnv(options.env, device.libraryDir) : options.env;
  const laneModel = await laneModelOf(options, device, env);
  const request = {
    ...options,
    laneModel,
    laneEntryPath: LANE_ENTRY,
    openTimeoutMs: LANE_OPEN_TIMEOUT_MS,
    maxJobBytes: limits.maxJobBytes,
  };
  const common = { tag: modelTag(model), device, env, limits };
  if (device.kind === "cuda") {
    const lanes = await planCudaLanes(request, device.gpus);
    const { threads, lengthBuckets, warmUp } = lanes;
    return {
      ...common,
      laneModel: { ...laneModel, intraOpThreads: threads, lengthBuckets, warmUp },
      lanes,
    };
  }
  const lanes = await planLanes(request);
  return { ...common, laneModel: { ...laneModel, intraOpThreads: lanes.threads }, lanes };
}

async function laneModelOf(
  { model, opened, preparedDir, logger }: WorkerOptions,
  device: WorkerDevice,
  env: WorkerPlan["env"],
): Promise<LaneModel> {
  const source =
    device.kind === "cuda"
      ? // Prepared graphs hold the CPU's own kernels and weights.
        { onnxPath: model.onnxPath }
      : await modelSource(model, preparedDir, env, logger);
  const { padId, segmentTypeIds } = opened.template;
  return { ...source, padId, segmentTypeIds, executionProvider: device.kind, intraOpThreads: 1 };
}
