import type { Item } from "./batch-items.js";

export interface MessageBounds {
  /** Pairs that travel to a lane in one message, as one or more batches. */
  readonly maxMessagePairs: number;
  /** Tokens of one message. */
  readonly maxMessageTokens: number;
  /** Milliseconds of one message; bounds how long an interactive pair waits for a lane. */
  readonly maxMessageMs: number;
  /** Milliseconds that a batch is expected to take, if it was measured; without it messages have no such bound. */
  readonly batchMs?: ((rows: number, longest: number) => number) | undefined;
}

/**
 * If less work waits than would keep all lanes busy, a message takes this share of a lane's part
 * of it: the lanes end together, and a single job is scored by all of them.
 */
const SHARE_OF_REMAINDER = 0.5;

/** The work around a message. */
interface Surroundings {
  /** Lanes that are being served. */
  readonly lanes: number;
  /** Pairs that wait behind the batches. */
  readonly beyond: number;
}

/** The first of `batches` that fit one message; at least one if there is one. */
export function fillMessage(
  batches: readonly Item[][],
  surroundings: Surroundings,
  bounds: MessageBounds,
): Item[][] {
  const { maxMessageTokens, maxMessageMs, batchMs } = bounds;
  const maxPairs = messagePairs(batches, surroundings, bounds);
  const message: Item[][] = [];
  let pairs = 0;
  let tokens = 0;
  let ms = 0;
  for (const batch of batches) {
    pairs += batch.length;
    const longest = batch[0]?.pair.ids.length ?? 0;
    tokens += batch.length * longest;
    ms += batchMs?.(batch.length, longest) ?? 0;
    const over = pairs > maxPairs || tokens > maxMessageTokens || ms > maxMessageMs;
    if (message.length > 0 && over) break;
    message.push(batch);
  }
  return message;
}

/** Pairs that a message may hold with this much work ahead. */
function messagePairs(
  batches: readonly Item[][],
  { lanes, beyond }: Surroundings,
  { maxMessagePairs }: MessageBounds,
): number {
  // One lane has nobody to share with.
  if (lanes < 2) return maxMessagePairs;
  const plenty = (maxMessagePairs * lanes) / SHARE_OF_REMAINDER;
  let ahead = beyond;
  for (const batch of batches) {
    if (ahead >= plenty) break;
    ahead += batch.length;
  }
  const share = Math.ceil((ahead / lanes) * SHARE_OF_REMAINDER);
  return Math.min(maxMessagePairs, share);
}
