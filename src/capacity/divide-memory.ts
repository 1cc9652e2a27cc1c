/** Divides the memory limit of this machine among a worker's process, its requests and its lanes. */
import { RankmillError } from "../core/errors.js";
import type { MemoryLimit } from "../inference/host/memory-limit.js";
import { ownPrivateBytes } from "../inference/host/process-memory.js";
import type { LanePlanRequest } from "./lane-plan.js";
import { planMemory, type MemoryNeeds, type MemoryPlan } from "./memory-plan.js";
import { PAYLOAD_MEMORY_FACTOR } from "./payload-memory.js";

const MIB = 1024 * 1024;
/**
 * The growth of the worker's process at work: young generation, tokens and answers of the jobs in
 * flight, and some 100 MB that a tokenizer's library holds until its thread's collector comes by.
 */
const BASE_GROWTH_BYTES = 160 * MIB;
/** Requests in hand: at least as much as a job of some megabytes takes, and no more than helps. */
const LEAST_PAYLOAD_BYTES = 48 * MIB;
const MOST_PAYLOAD_BYTES = 768 * MIB;
/** Every lane must be able to run a pair of this many tokens beside the others. */
const ORDINARY_TOKENS = 512;
/** A lane without a model: Node with the native runtime. */
export const BARE_LANE_BYTES = 120 * MIB;

/** Tokens of the pair that every lane must be able to run beside the others. */
export function ordinaryTokens({ model }: LanePlanRequest): number {
  return Math.min(ORDINARY_TOKENS, model.maxLength.default);
}

/** Bytes of the worker's own process at work. */
export function baseBytes(): number {
  return ownPrivateBytes() + BASE_GROWTH_BYTES;
}

export type LaneNeeds = Pick<MemoryNeeds, "sharedBytes" | "lane" | "leastActivationBytes"> & {
  readonly baseBytes: number;
  readonly wantedLanes: number;
};

export type Division = Extract<MemoryPlan, { status: "fits" }>;

/** @throws RankmillError `memory_too_small` if not even one lane fits */
export function divideMemory(
  request: LanePlanRequest,
  limit: MemoryLimit,
  needs: LaneNeeds,
): Division {
  const payload = {
    least: Math.min(LEAST_PAYLOAD_BYTES, request.maxJobBytes * PAYLOAD_MEMORY_FACTOR),
    most: MOST_PAYLOAD_BYTES,
  };
  const room = planMemory({ ...needs, limitBytes: limit.bytes, payload });
  if (room.status === "too-small") throw tooSmall(limit, room.neededBytes, request);
  return room;
}

export function tooSmall(
  limit: MemoryLimit,
  neededBytes: number,
  { model, laneModel }: LanePlanRequest,
): RankmillError {
  const hint =
    laneModel.prepared === true ? "" : ", prepare the model so that its weights are shared,";
  return new RankmillError(
    "memory_too_small",
    `the memory limit of ${mib(limit.bytes)} (${limit.source}) is too small for ${model.name} ${model.precision}: one lane needs ${mib(neededBytes)}; raise the limit${hint} or choose a smaller model or precision`,
  );
}

export function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
