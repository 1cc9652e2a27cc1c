/** Divides the memory limit of this machine among a worker's process, its requests and its lanes. */
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";
import type { MemoryLimit } from "../inference/host/memory-limit.js";
import { ownPrivateBytes } from "../inference/host/process-memory.js";
import type { LanePlanRequest } from "./lane-plan.js";
import { planMemory, type MemoryNeeds, type MemoryPlan } from "./memory-plan.js";
import { PAYLOAD_MEMORY_FACTOR } from "./payload-memory.js";
import { tokenizerReadingBytes, type PlannedTokenizer } from "./tokenizer-memory.js";

const MIB = 1024 * 1024;
/**
 * The growth of the worker's process at work beside its tokenizer: young generation, tokens and answers of
 * the jobs in flight.
 */
const BASE_GROWTH_BYTES = 32 * MIB;
/** Requests in hand: at least as much as a job of some megabytes takes, and no more than helps. */
const LEAST_PAYLOAD_BYTES = 48 * MIB;
const MOST_PAYLOAD_BYTES = 768 * MIB;
/** Bytes in JSON of a character in most scripts that have no blanks. */
const WIDE_CHAR_BYTES = 3;
/** A document of the longest length stands beside a query, and beside others. */
const BESIDE_DOCUMENT_BYTES = MIB;
/** Every lane must be able to run a pair of this many tokens beside the others. */
const ORDINARY_TOKENS = 512;
/** A lane without a model: Node with the native runtime. */
export const BARE_LANE_BYTES = 120 * MIB;

/** Tokens of the pair that every lane must be able to run beside the others. */
export function ordinaryTokens({ model }: LanePlanRequest): number {
  return Math.min(ORDINARY_TOKENS, model.maxLength.default);
}

/** Bytes of the worker's own process at work, in which its tokenizer is open. */
export function baseBytes({ tokenizer }: LanePlanRequest): number {
  return ownPrivateBytes() + BASE_GROWTH_BYTES + readingBytes(tokenizer);
}

function readingBytes({ kind, maxDocumentChars }: PlannedTokenizer): number {
  return tokenizerReadingBytes(kind, maxDocumentChars);
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
    wanted: longestDocumentBytes(request) * PAYLOAD_MEMORY_FACTOR,
    most: MOST_PAYLOAD_BYTES,
  };
  const room = planMemory({ ...needs, limitBytes: limit.bytes, payload });
  if (room.status === "too-small") throw tooSmall(limit, room.neededBytes, request);
  return room;
}

/** JSON of a job with one document of the longest length. */
function longestDocumentBytes({ maxJobBytes, tokenizer }: LanePlanRequest): number {
  const bytes = tokenizer.maxDocumentChars * WIDE_CHAR_BYTES + BESIDE_DOCUMENT_BYTES;
  return Math.min(maxJobBytes, bytes);
}

export function tooSmall(
  limit: MemoryLimit,
  neededBytes: number,
  { model, laneModel, tokenizer }: LanePlanRequest,
): RankmillError {
  const hint =
    laneModel.prepared === true ? "" : ", prepare the model so that its weights are shared,";
  const { kind, vocabularyBytes, maxDocumentChars } = tokenizer;
  const ofIt = `the tokenizer (${kind}) takes ${mib(vocabularyBytes)} of it for its vocabulary and ${mib(readingBytes(tokenizer))} to read a text of ${maxDocumentChars} characters`;
  return new RankmillError(
    "memory_too_small",
    wording`the memory limit of ${mib(limit.bytes)} (${limit.source}) is too small for ${model.name} ${model.precision}: one lane needs ${mib(neededBytes)}, and ${ofIt}; raise the limit${hint} or choose a smaller model or precision, or a lower ${option("maxDocumentChars")}`,
  );
}

export function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
