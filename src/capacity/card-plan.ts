/**
 * Decides how a worker's lanes use cards with memory of their own. Nothing of it is measured: the batches
 * are those that the device calls common, and the operator can set every number. The limit of a card's
 * memory is learned by running out of it: the runtime's Node binding neither bounds nor tells it.
 */
import { ActivationBudget } from "../core/cost/activation-budget.js";
import { UNMEASURED_ACTIVATION } from "../core/cost/activation-fit.js";
import { UNMEASURED_TIMING, type BatchShape } from "../core/cost/lane-cost.js";
import { lengthBuckets, paddedLength } from "../core/cost/length-buckets.js";
import { quadraticAt } from "../core/cost/quadratic.js";
import type { OwnMemory } from "../inference/devices/device.js";
import { deviceOf } from "../inference/devices/registry.js";
import { memoryLimit } from "../inference/host/memory-limit.js";
import type { BatchLimits } from "../pipeline/batch/batch-plan.js";
import { assemblePlan } from "./assemble-plan.js";
import { BARE_LANE_BYTES, baseBytes, divideMemory, ordinaryTokens } from "./divide-memory.js";
import type { LanePlan, LanePlanOptions, LanePlanRequest } from "./lane-plan.js";
import { tokenCacheBytes } from "./memory-plan.js";
import { prefixBytesPerLane } from "./prefix-memory.js";

type CardLimits = BatchLimits & { readonly lengthBuckets: readonly number[] };

/** @throws RankmillError `memory_too_small` if the host's memory does not hold a lane */
export async function planForCards(request: LanePlanRequest, memory: OwnMemory): Promise<LanePlan> {
  const { model, device } = request;
  const cards = device.cards ?? 1;
  const wantedLanes = request.lanes ?? cards;
  const limit = await memoryLimit(request.memoryLimitBytes);
  // Prefixes lie in the host's memory, and are copied to the card for each batch.
  const prefixBytes = prefixBytesPerLane(request, limit.bytes / wantedLanes);
  const readyBytes = BARE_LANE_BYTES + memory.hostBytes + prefixBytes;
  const openPeakBytes = readyBytes + model.file.bytes * memory.openFactor;
  const { lanes, payloadBytes } = divideMemory(request, limit, {
    baseBytes: baseBytes(request),
    sharedBytes: 0,
    lane: { readyBytes, openPeakBytes },
    wantedLanes,
    // Activations live on the card.
    leastActivationBytes: 0,
  });
  const forTokensBytes = tokenCacheBytes(request.tokenCacheBytes ?? 0, payloadBytes);
  const limits = cardLimits(memory, model.maxLength.highest, request);
  const buckets = limits.lengthBuckets;
  const warmUp = largestShape(limits, model.maxLength.default);
  return assemblePlan(request, {
    limit,
    lanes,
    wantedLanes,
    heldLanes: lanes,
    laneModel: {
      intraOpThreads: request.threads ?? 1,
      lengthBuckets: buckets,
      warmUp,
      prefixBytes,
    },
    limits,
    messages: {
      maxMessagePairs: limits.maxBatchSize * memory.messageBatches,
      maxMessageTokens: limits.maxBatchTokens * memory.messageBatches,
      planAheadPairs: memory.planAheadPairs,
    },
    keepsBits: deviceOf(device.kind).keepsBits,
    budget: cardBudget(request, lanes, warmUp, buckets),
    activation: UNMEASURED_ACTIVATION,
    timing: UNMEASURED_TIMING,
    payloadBytes: payloadBytes - forTokensBytes,
    tokenCacheBytes: forTokensBytes,
    sharedBytes: 0,
    line: `${lanes} lane${lanes === 1 ? "" : "s"} on ${cards} GPU${cards === 1 ? "" : "s"}, up to ${limits.maxBatchSize} rows and ${limits.maxBatchTokens} tokens per batch, padded to ${buckets.length} lengths: batch-mates can change a score's last bits`,
    figures: { gpus: cards, lengthBuckets: buckets, warmUp },
  });
}

function cardBudget(
  request: LanePlanRequest,
  lanes: number,
  warmUp: BatchShape,
  buckets: readonly number[],
): ActivationBudget {
  // A single pair of the model's full length is tried before it is refused.
  const share = Math.max(
    bytesOf(warmUp.rows, warmUp.length),
    bytesOf(1, request.model.maxLength.highest),
  );
  const least = bytesOf(1, paddedLength(ordinaryTokens(request), buckets));
  return new ActivationBudget(share * lanes, lanes, least * lanes);
}

function bytesOf(rows: number, length: number): number {
  return quadraticAt(UNMEASURED_ACTIVATION, rows, length);
}

/** The limits of one batch; what the operator asks for goes before what is usual. */
function cardLimits(
  usual: OwnMemory,
  highestLength: number,
  asked: Pick<LanePlanOptions, "maxBatchTokens" | "maxBatchSize">,
): CardLimits {
  return {
    maxBatchTokens: asked.maxBatchTokens ?? usual.maxBatchTokens,
    maxBatchSize: asked.maxBatchSize ?? usual.maxBatchSize,
    // Within a bucket all rows are of one length.
    maxPaddingTokens: 0,
    lengthBuckets: lengthBuckets(highestLength),
  };
}

/** The largest of the batches with pairs of up to the model's usual length. */
function largestShape(limits: CardLimits, usualLength: number): BatchShape {
  const length = paddedLength(usualLength, limits.lengthBuckets);
  const rows = Math.floor(limits.maxBatchTokens / length);
  return { rows: Math.max(1, Math.min(rows, limits.maxBatchSize)), length };
}
