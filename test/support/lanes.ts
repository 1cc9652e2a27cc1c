import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PLAIN_HEAD } from "../../src/core/heads/head-use.js";
import type { EncodedPair } from "../../src/core/pair.js";
import type { LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { dist } from "./dist.js";
import type { SeededRandom } from "./random.js";

const MODELS = fileURLToPath(new URL("../fixtures/models", import.meta.url));
/** Below every fixture's vocabulary. */
const HIGHEST_ID = 599;

export const LANE_ENTRY = join(dist, "workers/lane.js");
export const PREPARE_ENTRY = join(dist, "workers/prepare.js");

export type FixtureModel =
  | "bert"
  | "electra"
  | "xlm-roberta"
  | "modernbert"
  | "ettin"
  | "deberta-v2"
  | "qwen2"
  | "qwen3"
  | "gemma"
  | "llama"
  | "llama-bidirectional";

export function fixtureFolder(model: FixtureModel): string {
  return join(MODELS, model);
}

/** The tokenizer of a fixture, for a plan of lanes. */
export const FIXTURE_TOKENIZER = {
  kind: "tokenizers",
  vocabularyBytes: 32 * 1024 ** 2,
  maxDocumentChars: 1_048_576,
} as const;

/** The message that opens a lane of a fixture, on one thread. */
export function laneOptions(
  model: FixtureModel,
  file = "model.onnx",
  more: Partial<LaneProcessOptions> = {},
): LaneProcessOptions {
  return {
    entryPath: LANE_ENTRY,
    env: process.env,
    openTimeoutMs: 300_000,
    model: {
      onnxPath: join(fixtureFolder(model), "onnx", file),
      head: PLAIN_HEAD,
      padId: model === "xlm-roberta" ? 1 : 0,
      segmentTypeIds: true,
      device: "cpu",
      intraOpThreads: 1,
    },
    ...more,
  };
}

export function randomPair(random: SeededRandom, length: number): EncodedPair {
  const ids = Int32Array.from({ length }, () => random.between(5, HIGHEST_ID));
  return { ids, secondStart: length >> 1, truncated: false };
}
