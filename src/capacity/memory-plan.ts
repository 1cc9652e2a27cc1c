const MIB = 1024 * 1024;

/** Left free: the kernel's own memory of the container, sockets, and what no estimate knows. */
const MIN_MARGIN_BYTES = 32 * MIB;
const MARGIN_SHARE = 0.05;
/** Garbage that a lane's JavaScript heap may hold beside the model: it handles small arrays only. */
export const LANE_HEAP_BYTES = 24 * MIB;
/** Largest share for requests of the memory beside the base; the rest is for lanes. */
const PAYLOAD_SHARE = 0.25;
/** Long pairs want the rest of it for their activations. */
const TOKEN_CACHE_SHARE = 0.125;

/** All in bytes. */
export interface MemoryNeeds {
  readonly limitBytes: number;
  /** The worker's process: runtime, tokenizer, queue clients, and room for its heap. */
  readonly baseBytes: number;
  /**
   * Requests in hand: never fewer than `least`, and no more than `most`. Up to `wanted` they go before all
   * lanes but one.
   */
  readonly payload: { readonly least: number; readonly wanted: number; readonly most: number };
  /** Bytes that all lanes map together: a prepared model's files. */
  readonly sharedBytes: number;
  readonly lane: {
    /** A lane's own memory once it is ready. */
    readonly readyBytes: number;
    /** The most it took to get there. */
    readonly openPeakBytes: number;
  };
  readonly wantedLanes: number;
  /** Activations of the pair that every lane must be able to run beside the others. */
  readonly leastActivationBytes: number;
}

export type MemoryPlan =
  | {
      readonly status: "fits";
      readonly lanes: number;
      /** Activations of all lanes together. */
      readonly activationBytes: number;
      readonly payloadBytes: number;
    }
  | { readonly status: "too-small"; readonly neededBytes: number };

/**
 * Divides a memory limit among the worker's process, requests, weights and activations, with as
 * many lanes as it holds. Each lane's share of the activations covers one ordinary pair, and what
 * opening a replacement takes for a moment.
 */
export function planMemory(needs: MemoryNeeds): MemoryPlan {
  const { limitBytes, baseBytes, payload, sharedBytes, lane } = needs;
  const share = Math.max(
    needs.leastActivationBytes,
    lane.openPeakBytes - lane.readyBytes - LANE_HEAP_BYTES,
  );
  const laneBytes = lane.readyBytes + LANE_HEAP_BYTES;
  const margin = marginBytes(limitBytes);
  const room = limitBytes - margin - baseBytes - sharedBytes;
  const oneLane = laneBytes + share + payload.least;
  if (room < oneLane) {
    const bare = baseBytes + sharedBytes + oneLane;
    const neededBytes = Math.max(bare + MIN_MARGIN_BYTES, bare / (1 - MARGIN_SHARE));
    return { status: "too-small", neededBytes: Math.ceil(neededBytes) };
  }
  const payloadBytes = Math.floor(
    Math.min(
      payload.most,
      Math.max(
        payload.least,
        Math.min(Math.max(room * PAYLOAD_SHARE, payload.wanted), room - laneBytes - share),
      ),
    ),
  );
  const lanes = Math.min(
    needs.wantedLanes,
    Math.floor((room - payloadBytes) / (laneBytes + share)),
  );
  return {
    status: "fits",
    lanes,
    payloadBytes,
    activationBytes: Math.floor(room - payloadBytes - lanes * laneBytes),
  };
}

/**
 * The memory of remembered tokens: as much as was asked for, but no more than a share of what is left
 * beside what every lane needs.
 */
export function tokenCacheBytes(askedBytes: number, spareBytes: number): number {
  return Math.max(0, Math.floor(Math.min(askedBytes, spareBytes * TOKEN_CACHE_SHARE)));
}

/** Bytes that are left free under a limit. */
export function marginBytes(limitBytes: number): number {
  return Math.max(MIN_MARGIN_BYTES, limitBytes * MARGIN_SHARE);
}
