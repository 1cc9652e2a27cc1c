/**
 * Decides how a worker's lanes use GPUs. Nothing of it was measured on one: the batches are what a
 * GPU is commonly given, and every number can be set by the operator. What a GPU's memory holds is
 * learned by running out of it: the runtime's Node binding neither bounds nor tells it.
 */
import { ActivationBudget } from "../core/cost/activation-budget.js";
import { UNMEASURED_ACTIVATION } from "../core/cost/activation-fit.js";
import type { BatchLimits } from "../pipeline/batch/batch-plan.js";
import { deadlineMs, UNMEASURED_TIMING, type BatchShape } from "../core/cost/lane-cost.js";
import { lengthBuckets, paddedLength } from "../core/cost/length-buckets.js";
import { planMemory, tokenCacheBytes } from "./memory-plan.js";
import { PAYLOAD_MEMORY_FACTOR, PayloadMemory } from "./payload-memory.js";
import { quadraticAt } from "../core/cost/quadratic.js";
import { memoryLimit } from "../inference/host/memory-limit.js";
import { ownPrivateBytes } from "../inference/host/process-memory.js";
import {
  BARE_LANE_BYTES,
  BASE_GROWTH_BYTES,
  batcherMemory,
  garbageCollector,
  LEAST_PAYLOAD_BYTES,
  mib,
  MOST_PAYLOAD_BYTES,
  ORDINARY_TOKENS,
  tooSmall,
  type LanePlan,
  type LanePlanRequest,
} from "./cpu-plan.js";

const MIB = 1024 * 1024;

/** Enough rows to fill a card's multiprocessors: 32 pairs of 512 tokens, or 64 of 256. */
const MAX_BATCH_TOKENS = 16_384;
const MAX_BATCH_SIZE = 64;
/** A message of a few batches keeps the card at work while the answer and the next one travel. */
const MESSAGE_RUNS = 4;
/** More pairs to choose from for the larger batches: their rows come from one bucket each. */
const WINDOW_PAIRS = 4_096;
/** What CUDA's driver and libraries take of a process's own memory on the host: a cautious guess. */
const CUDA_HOST_BYTES = 512 * MIB;
/** The file is read into the host's memory before it goes to the card, and once more while it is optimised. */
const OPEN_FACTOR = 2.2;

export interface CudaLanePlan extends LanePlan {
  readonly lengthBuckets: readonly number[];
  /** What a lane runs before it is ready. */
  readonly warmUp: BatchShape;
}

/** @throws RankmillError `memory_too_small` where the host's memory does not hold a lane */
export async function planCudaLanes(request: LanePlanRequest, gpus: number): Promise<CudaLanePlan> {
  const { model, logger } = request;
  const limit = await memoryLimit(request.memoryLimitBytes);
  const readyBytes = BARE_LANE_BYTES + CUDA_HOST_BYTES;
  const room = planMemory({
    limitBytes: limit.bytes,
    baseBytes: ownPrivateBytes() + BASE_GROWTH_BYTES,
    sharedBytes: 0,
    payload: {
      least: Math.min(LEAST_PAYLOAD_BYTES, request.maxJobBytes * PAYLOAD_MEMORY_FACTOR),
      most: MOST_PAYLOAD_BYTES,
    },
    lane: { readyBytes, openPeakBytes: readyBytes + model.file.bytes * OPEN_FACTOR },
    wantedLanes: request.lanes ?? gpus,
    // Activations live on the card.
    leastActivationBytes: 0,
  });
  if (room.status === "too-small") throw tooSmall(limit, room.neededBytes, request);
  const { lanes } = room;
  const forTokensBytes = tokenCacheBytes(request.tokenCacheBytes ?? 0, room.payloadBytes);
  const payloadBytes = room.payloadBytes - forTokensBytes;
  if (lanes < (request.lanes ?? gpus)) {
    logger.warn(
      `${lanes} instead of ${request.lanes ?? gpus} lanes: the memory limit of ${mib(limit.bytes)} (${limit.source}) holds no more`,
    );
  }
  const limits = cudaBatchLimits(model.maxLength.highest, request);
  const buckets = limits.lengthBuckets;
  const warmUp = largestShape(limits, model.maxLength.default);
  const ordinary = Math.min(ORDINARY_TOKENS, model.maxLength.default);
  // A single pair of the model's full length is tried before it is refused.
  const share = Math.max(
    quadraticAt(UNMEASURED_ACTIVATION, warmUp.rows, warmUp.length),
    quadraticAt(UNMEASURED_ACTIVATION, 1, model.maxLength.highest),
  );
  const least = quadraticAt(UNMEASURED_ACTIVATION, 1, paddedLength(ordinary, buckets));
  const budget = new ActivationBudget(share * lanes, lanes, least * lanes);
  const memory = {
    ...batcherMemory(budget, UNMEASURED_ACTIVATION, logger),
    separate: true,
    refusal: (tokens: number, longest: number) =>
      `a pair of ${tokens} tokens does not fit the GPU's memory, which ran out before: ${longest} tokens fit`,
  };
  const maxJobBytes = Math.min(
    request.maxJobBytes,
    Math.floor(payloadBytes / PAYLOAD_MEMORY_FACTOR),
  );
  logger.info(
    {
      lanes,
      gpus,
      maxBatchSize: limits.maxBatchSize,
      maxBatchTokens: limits.maxBatchTokens,
      lengthBuckets: buckets,
      warmUp,
      memoryLimitBytes: limit.bytes,
      memoryLimitFrom: limit.source,
      payloadBytes,
      tokenCacheBytes: forTokensBytes,
    },
    `${lanes} lane${lanes === 1 ? "" : "s"} on ${gpus} GPU${gpus === 1 ? "" : "s"}, up to ${limits.maxBatchSize} rows and ${limits.maxBatchTokens} tokens a batch, padded to ${buckets.length} lengths: batch-mates can change a score's last bits`,
  );
  return {
    lanes,
    threads: request.threads ?? 1,
    limits,
    keepsBits: false,
    lengthBuckets: buckets,
    warmUp,
    messages: {
      maxMessagePairs: limits.maxBatchSize * MESSAGE_RUNS,
      maxMessageTokens: limits.maxBatchTokens * MESSAGE_RUNS,
      windowPairs: WINDOW_PAIRS,
    },
    memory,
    onTooLarge: ({ rows, length }) => {
      const capacity = budget.lower(quadraticAt(UNMEASURED_ACTIVATION, rows, length) * lanes);
      if (capacity !== undefined) memory.onLowered(capacity);
    },
    deadlineMs: (batches) => deadlineMs(UNMEASURED_TIMING, batches),
    batchMs: undefined,
    memoryLimitBytes: limit.bytes,
    sharedBytes: 0,
    tokenCacheBytes: forTokensBytes,
    payloads: new PayloadMemory(payloadBytes, garbageCollector()),
    maxJobBytes,
  };
}

/** The limits of one batch on a GPU; what the operator asks for goes before what is usual. */
function cudaBatchLimits(
  highestLength: number,
  asked: {
    readonly maxBatchTokens?: number | undefined;
    readonly maxBatchSize?: number | undefined;
  },
): BatchLimits & { readonly lengthBuckets: readonly number[] } {
  return {
    maxBatchTokens: asked.maxBatchTokens ?? MAX_BATCH_TOKENS,
    maxBatchSize: asked.maxBatchSize ?? MAX_BATCH_SIZE,
    // Within a bucket all rows are of one length.
    maxPaddingTokens: 0,
    lengthBuckets: lengthBuckets(highestLength),
  };
}

/** The batch that takes most of those with pairs of up to the model's usual length. */
function largestShape(
  limits: BatchLimits & { readonly lengthBuckets: readonly number[] },
  usualLength: number,
): BatchShape {
  const length = paddedLength(usualLength, limits.lengthBuckets);
  const rows = Math.floor(limits.maxBatchTokens / length);
  return { rows: Math.max(1, Math.min(rows, limits.maxBatchSize)), length };
}
