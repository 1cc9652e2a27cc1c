/** Puts a plan together once it is known how many lanes there are and what they run: the same for every device. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Logger } from "pino";
import type { ActivationBudget } from "../core/cost/activation-budget.js";
import { deadlineMs, UNMEASURED_TIMING } from "../core/cost/lane-cost.js";
import type { PrefixCost } from "../core/cost/prefix-cost.js";
import { quadraticAt, type Quadratic } from "../core/cost/quadratic.js";
import { describeError } from "../core/errors.js";
import type { Device } from "../inference/devices/device.js";
import { deviceOf } from "../inference/devices/registry.js";
import { oomKills, type MemoryLimit } from "../inference/host/memory-limit.js";
import type { LaneModel } from "../inference/lanes/lane-protocol.js";
import { BatchMemory } from "../pipeline/batch/batch-memory.js";
import type { BatcherOptions } from "../pipeline/batch/batcher.js";
import { mib } from "./divide-memory.js";
import type { LanePlan, LanePlanRequest } from "./lane-plan.js";
import { PAYLOAD_MEMORY_FACTOR, PayloadMemory } from "./payload-memory.js";
import { tokenizerReadingBytes, type PlannedTokenizer } from "./tokenizer-memory.js";

/** The figures that the two ways of planning decide, each in its own manner. */
export interface PlanParts {
  readonly limit: MemoryLimit;
  readonly lanes: number;
  readonly wantedLanes: number;
  /** Lanes that memory holds, of those wanted. */
  readonly heldLanes: number;
  /** Settings that the plan adds to the model as a lane opens it. */
  readonly laneModel: Pick<
    LaneModel,
    "intraOpThreads" | "lengthBuckets" | "warmUp" | "prefixBytes"
  >;
  readonly limits: BatcherOptions["limits"];
  readonly messages?: Partial<BatcherOptions>;
  readonly keepsBits: boolean;
  readonly budget: ActivationBudget;
  readonly activation: Quadratic;
  /** Of a model that shares prefixes, if they take of the activations' memory. */
  readonly prefixes?: PrefixCost | undefined;
  readonly timing: Quadratic;
  readonly forecast?: LanePlan["forecast"];
  readonly payloadBytes: number;
  readonly tokenCacheBytes: number;
  readonly sharedBytes: number;
  /** The explanation: a line for people, and figures beside those that every plan has. */
  readonly line: string;
  readonly figures: Readonly<Record<string, unknown>>;
}

export function assemblePlan(request: LanePlanRequest, parts: PlanParts): LanePlan {
  const { limit, limits, payloadBytes, tokenCacheBytes, timing } = parts;
  const maxJobBytes = Math.min(
    request.maxJobBytes,
    Math.floor(payloadBytes / PAYLOAD_MEMORY_FACTOR),
  );
  sayPlan(request, parts, maxJobBytes);
  return {
    lanes: parts.lanes,
    laneModel: { ...request.laneModel, ...parts.laneModel },
    limits,
    messages: parts.messages,
    keepsBits: parts.keepsBits,
    memory: batchMemory(deviceOf(request.device.kind), parts, request.logger),
    deadlineMs: (batches) => deadlineMs(timing, batches),
    batchMs:
      timing === UNMEASURED_TIMING
        ? undefined
        : (rows, longest) => quadraticAt(timing, rows, longest),
    forecast: parts.forecast,
    payloads: new PayloadMemory(payloadBytes, garbageCollector()),
    memoryLimitBytes: limit.bytes,
    sharedBytes: parts.sharedBytes,
    tokenCacheBytes,
    maxJobBytes,
  };
}

function sayPlan(
  { logger, maxJobBytes: askedJobBytes, tokenizer }: LanePlanRequest,
  parts: PlanParts,
  maxJobBytes: number,
): void {
  const { limit, limits, wantedLanes, heldLanes } = parts;
  const holds = `the memory limit of ${mib(limit.bytes)} (${limit.source}) holds`;
  logger.info(
    {
      lanes: parts.lanes,
      threads: parts.laneModel.intraOpThreads,
      maxBatchSize: limits.maxBatchSize,
      maxBatchTokens: limits.maxBatchTokens,
      memoryLimitBytes: limit.bytes,
      memoryLimitFrom: limit.source,
      payloadBytes: parts.payloadBytes,
      ...tokenizerFigures(tokenizer),
      tokenCacheBytes: parts.tokenCacheBytes,
      ...parts.figures,
    },
    parts.line,
  );
  if (heldLanes < wantedLanes) {
    logger.warn(`${heldLanes} instead of ${wantedLanes} lanes: ${holds} no more`);
  }
  if (maxJobBytes < askedJobBytes) {
    logger.warn(
      { maxJobBytes },
      `jobs over ${maxJobBytes} bytes are refused: ${holds} no larger ones`,
    );
  }
}

function tokenizerFigures({ kind, vocabularyBytes, maxDocumentChars }: PlannedTokenizer) {
  return {
    tokenizer: kind,
    tokenizerVocabularyBytes: vocabularyBytes,
    tokenizerReadingBytes: tokenizerReadingBytes(kind, maxDocumentChars),
  };
}

function batchMemory(
  { memory, saysOutOfMemory }: Device,
  { budget, activation, prefixes }: PlanParts,
  logger: Logger,
): BatchMemory {
  let killsSeen = oomKills();
  return new BatchMemory({
    budget,
    activation,
    prefixes,
    kind: memory.kind,
    ranOutOfMemory: async (error) => {
      if (saysOutOfMemory(describeError(error).message)) return true;
      const before = await killsSeen;
      killsSeen = oomKills();
      const now = await killsSeen;
      return now !== undefined && before !== undefined && now > before;
    },
    onLowered: (capacityBytes) => {
      logger.warn(
        { activationBytes: capacityBytes },
        "a lane ran out of memory: less of it is used for activations from now on",
      );
    },
  });
}

/** V8's own, which a program may ask for once it is exposed. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as unknown;
  return typeof collect === "function" ? (collect as () => void) : () => undefined;
}
