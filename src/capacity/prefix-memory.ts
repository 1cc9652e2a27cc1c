import type { LanePlanRequest } from "./lane-plan.js";

/** Largest share of a lane's memory for the prefixes that it keeps. */
const PREFIX_SHARE = 0.125;

/**
 * Bytes that each lane keeps of prefixes: enough for the longest of a pair of the usual length, which is
 * several of common ones, but no more than a share of a lane's memory.
 */
export function prefixBytesPerLane({ model }: LanePlanRequest, laneRoomBytes: number): number {
  const { prefixBytesPerToken = 0 } = model.file;
  const wanted = model.maxLength.default * prefixBytesPerToken;
  return Math.max(0, Math.floor(Math.min(wanted, laneRoomBytes * PREFIX_SHARE)));
}
