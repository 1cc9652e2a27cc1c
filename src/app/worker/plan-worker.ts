/** The first step of a start: decides which files the lanes load, on what, how many and in how much memory. */
import type { LanePlan } from "../../capacity/lane-plan.js";
import { DEFAULT_LIMITS, type Limits } from "../../core/contract.js";
import { CPU_DEVICE, type WorkerDevice } from "../../inference/devices/registry.js";
import { modelTag } from "../../redis/keys.js";
import { planWorkerLanes } from "./plan-worker-lanes.js";
import type { WorkerOptions } from "./worker-options.js";

export interface WorkerPlan {
  readonly tag: string;
  readonly device: WorkerDevice;
  /** Variables that lanes get. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits: Limits;
  readonly lanes: LanePlan;
}

/**
 * Prepares and calibrates the model if that was never done on this host.
 *
 * @throws RankmillError if no lane can run the model, or memory does not hold one
 */
export async function planWorker(options: WorkerOptions): Promise<WorkerPlan> {
  const { model, device = CPU_DEVICE, limits = DEFAULT_LIMITS } = options;
  const { maxJobBytes, maxDocumentChars } = limits;
  const { template: filling, kind, vocabularyBytes } = options.opened;
  const tokenizer = { kind, vocabularyBytes, maxDocumentChars };
  const { plan, env } = await planWorkerLanes({ ...options, filling, tokenizer, maxJobBytes });
  return { tag: modelTag(model), device, env, limits, lanes: plan };
}
