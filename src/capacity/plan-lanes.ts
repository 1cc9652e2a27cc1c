import { deviceOf } from "../inference/devices/registry.js";
import { planForCards } from "./card-plan.js";
import type { LanePlan, LanePlanRequest } from "./lane-plan.js";
import { planFromMeasurements } from "./measured-plan.js";

/**
 * Decides how a worker's lanes run, from the device, the memory limit and what the operator asked for,
 * and explains it in the log. A device that shares the host's memory is measured; one with memory of
 * its own begins with what it is commonly given.
 *
 * @throws RankmillError `memory_too_small` with what is needed; whatever opening the first lane gives
 */
export async function planLanes(request: LanePlanRequest): Promise<LanePlan> {
  const { memory } = deviceOf(request.device.kind);
  return memory.kind === "own"
    ? await planForCards(request, memory)
    : await planFromMeasurements(request);
}
