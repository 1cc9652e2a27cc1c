import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { chooseBatches } from "../../src/capacity/calibration.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { calibrate } from "../../src/capacity/measure/measure-model.js";
import type { LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { LanePool } from "../../src/inference/lanes/lane-pool.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { FILE_OF, preparedOptions } from "../support/fidelity.js";
import { laneOptions, randomPair, type FixtureModel } from "../support/lanes.js";
import { SeededRandom } from "../support/random.js";
import { firstUnlessLong } from "../support/needs.js";

const never = new AbortController().signal;
const HIGHEST_LENGTH = 128;
const LANES = 2;
const pools: LanePool[] = [];
let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-same-bits-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

/** Lanes that batch as a worker without any option does. */
async function defaultScorer(
  model: FixtureModel,
  options: LaneProcessOptions,
  dynamicallyQuantised: boolean,
): Promise<{ batcher: Batcher; maxBatchSize: number }> {
  const calibration = await calibrate({
    ...options,
    key: "k",
    host: "h",
    modelName: model,
    dynamicallyQuantised,
    highestLength: HIGHEST_LENGTH,
    cores: LANES,
    tiny: true,
    roomBytes: 2 ** 31,
  });
  const limits = chooseBatches(calibration, dynamicallyQuantised, {});
  const batcher = new Batcher({ ...DEFAULT_BATCHER_OPTIONS, limits });
  const pool = new LanePool(batcher, { ...options, lanes: LANES, onEvent: () => undefined });
  pools.push(pool);
  await pool.start();
  return { batcher, maxBatchSize: limits.maxBatchSize };
}

async function logitsOf(batcher: Batcher, pairs: readonly EncodedPair[]): Promise<number[]> {
  const outcomes = await batcher.score(pairs, "bulk", never);
  return outcomes.map((outcome) => (outcome.status === "scored" ? outcome.logit : Number.NaN));
}

const CASES: readonly (readonly [
  FixtureModel,
  "fp32" | "fp16" | "int8",
  "original" | "prepared" | "rows" | "made",
])[] = [
  ["bert", "int8", "rows"],
  ["bert", "fp32", "made"],
  ["bert", "fp32", "prepared"],
  ["bert", "int8", "original"],
  ["xlm-roberta", "int8", "prepared"],
  ["modernbert", "fp32", "original"],
  ["bert", "fp32", "original"],
  ["bert", "fp16", "original"],
  ["bert", "int8", "prepared"],
];

describe("the same pair, in the default mode of its precision, on real lanes", () => {
  it.each(firstUnlessLong(CASES, 6))(
    "%s %s, %s: has the same score to the bit whatever its batch-mates",
    async (model, precision, made) => {
      const random = new SeededRandom(5);
      const options =
        made === "original"
          ? laneOptions(model, FILE_OF[precision])
          : await preparedOptions(
              model,
              precision,
              cacheDir,
              made === "prepared" ? undefined : made,
            );
      const quantised = precision === "int8" && made !== "rows";
      const { batcher, maxBatchSize } = await defaultScorer(model, options, quantised);
      // A few lengths only, so that pairs of equal length meet.
      const lengths = [5, 17, 18, 19, 40, 64, 65, 111];
      const watched = Array.from({ length: 16 }, () => randomPair(random, random.pick(lengths)));
      const alone: number[] = [];
      for (const pair of watched) alone.push(...(await logitsOf(batcher, [pair])));
      expect(new Set(alone).size).toBeGreaterThan(1);
      for (let round = 0; round < 4; round += 1) {
        const mates = Array.from({ length: random.between(0, 60) }, () =>
          randomPair(random, random.pick(lengths)),
        );
        const order = random.shuffle([...watched, ...mates]);
        const logits = await logitsOf(batcher, order);
        for (const [index, pair] of watched.entries()) {
          expect(logits[order.indexOf(pair)]).toBe(alone[index]);
        }
      }
      // A scale per tensor: no batch-mates at all.
      expect(!quantised || maxBatchSize === 1).toBe(true);
    },
  );
});
