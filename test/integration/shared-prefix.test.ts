/** A language model that computes what the pairs of a query share once: on real lanes, with real keys and values. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { chooseBatches } from "../../src/capacity/calibration.js";
import { calibrate } from "../../src/capacity/measure/measure-model.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { LanePool } from "../../src/inference/lanes/lane-pool.js";
import { LaneProcess, type LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { inspectModelFolder } from "../../src/models/model-folder.js";
import { Batcher, DEFAULT_BATCHER_OPTIONS } from "../../src/pipeline/batch/batcher.js";
import { encodeParts } from "../../src/pipeline/encode/encode-documents.js";
import { openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { FILE_OF, FP32_TOLERANCE, preparedOptions } from "../support/fidelity.js";
import { fixtureFolder, laneOptions } from "../support/lanes.js";
import { firstUnlessLong } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";

const never = new AbortController().signal;
const MODEL = "qwen3";
const HIGHEST_LENGTH = 160;
/** Keys and values of the fixture: two layers, each with two heads of eight numbers, twice. */
const BYTES_PER_TOKEN = 2 * 2 * 2 * 8 * 4;
/** Room for two or three of the queries below. */
const FEW_BYTES = 100 * BYTES_PER_TOKEN;
const lanes: LaneProcess[] = [];
let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-prefix-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

afterEach(async () => {
  for (const lane of lanes.splice(0)) {
    lane.kill();
    await lane.died;
  }
});

async function optionsOf(
  precision: "fp32" | "int8",
  made: "original" | "prepared",
): Promise<LaneProcessOptions> {
  return made === "prepared"
    ? await preparedOptions(MODEL, precision, cacheDir)
    : laneOptions(MODEL, FILE_OF[precision]);
}

async function startLane(options: LaneProcessOptions, prefixBytes: number): Promise<LaneProcess> {
  const model = { ...options.model, prefixBytes };
  const lane = await LaneProcess.start(lanes.length, { ...options, model });
  lanes.push(lane);
  return lane;
}

/** Pairs of several queries, in no order; prefixes and documents of a few lengths. */
function randomPairs(random: SeededRandom, queries: number): EncodedPair[] {
  const pairs = Array.from({ length: queries }, () => {
    const length = random.pick([1, 16, 33, 48]);
    const query = Int32Array.from({ length }, () => random.between(5, 599));
    return Array.from({ length: random.between(1, 5) }, () => {
      const own = random.pick([1, 7, 8, 40, 64]);
      const rest = Int32Array.from({ length: own }, () => random.between(5, 599));
      const ids = Int32Array.from([...query, ...rest]);
      return { ids, secondStart: query.length, truncated: false };
    });
  });
  return random.shuffle(pairs.flat());
}

async function aloneLogits(
  lane: LaneProcess,
  pairs: readonly EncodedPair[],
): Promise<readonly number[]> {
  return (await lane.score(pairs.map((pair) => [pair]))).flat();
}

async function logitsOf(batcher: Batcher, pairs: readonly EncodedPair[]): Promise<number[]> {
  const outcomes = await batcher.score(pairs, "bulk", never);
  return outcomes.map((outcome) => (outcome.status === "scored" ? outcome.logit : Number.NaN));
}

describe("a pair of a query that others share", () => {
  const made = [
    ["fp32", "prepared"],
    ["int8", "prepared"],
    ["fp32", "original"],
  ] as const;
  it.each(firstUnlessLong(made, 2))(
    "%s %s: has the same score to the bit whatever a lane has in hand",
    async (precision, made) => {
      const random = new SeededRandom(11);
      const options = await optionsOf(precision, made);
      const pairs = randomPairs(random, 12);
      const nothing = await startLane(options, 0);
      const expected = await aloneLogits(nothing, pairs);
      expect(new Set(expected).size).toBeGreaterThan(1);
      expect(nothing.prefixBytes).toBe(0);
      const few = await startLane(options, FEW_BYTES);
      const all = await startLane(options, 2 ** 20);
      for (let round = 0; round < 3; round += 1) {
        const order = random.shuffle(pairs);
        for (const lane of [few, all]) {
          const logits = await aloneLogits(lane, order);
          for (const [i, pair] of pairs.entries()) {
            expect(logits[order.indexOf(pair)]).toBe(expected[i]);
          }
        }
      }
      expect(few.prefixBytes).toBeGreaterThan(FEW_BYTES / 2);
      expect(few.prefixBytes).toBeLessThanOrEqual(FEW_BYTES);
      expect(all.prefixBytes).toBeGreaterThan(FEW_BYTES);
    },
  );

  it("has the same score to the bit however batches are cut, and after its lane was killed", async () => {
    const random = new SeededRandom(12);
    const options = await optionsOf("fp32", "prepared");
    const calibration = await calibrate({
      ...options,
      key: "k",
      host: "h",
      modelName: MODEL,
      dynamicallyQuantised: false,
      highestLength: HIGHEST_LENGTH,
      cores: 2,
      tiny: true,
      roomBytes: 2 ** 31,
    });
    const limits = chooseBatches(calibration, false, {});
    const watched = randomPairs(random, 6);
    const expected = await aloneLogits(await startLane(options, 0), watched);
    const batcher = new Batcher({ ...DEFAULT_BATCHER_OPTIONS, limits, sharesPrefixes: true });
    const model = { ...options.model, prefixBytes: FEW_BYTES };
    const pool = new LanePool(batcher, {
      ...options,
      model,
      lanes: 2,
      onEvent: () => undefined,
    });
    try {
      await pool.start();
      for (let round = 0; round < 4; round += 1) {
        const order = random.shuffle([...watched, ...randomPairs(random, 8)]);
        const scored = logitsOf(batcher, order);
        if (round === 2) pool.lanes[0]?.kill("by the test");
        const logits = await scored;
        for (const [i, pair] of watched.entries()) {
          expect(logits[order.indexOf(pair)]).toBe(expected[i]);
        }
      }
    } finally {
      await pool.close();
    }
  });
});

describe("a prompt in two steps", () => {
  it("has the score of the whole prompt, also of windows and of documents that are cut", async () => {
    const whole = await startLane(laneOptions(MODEL, "../whole/model.onnx"), 0);
    const shared = await startLane(laneOptions(MODEL), 2 ** 20);
    const { tokenizer, template } = await openTokenizer(fixtureFolder(MODEL));
    const text = "The baker lets the dough rest for an hour, and shapes it. ".repeat(20);
    try {
      for (const asked of [
        { longDocuments: "windows" },
        { maxTokensPerDoc: 20 },
        { instruction: "Find recipes" },
      ] as const) {
        const scoring = resolveScoring({ maxLength: 300, truncation: "only-second", ...asked });
        const documents = [{ text }, { text: "A short one." }, { text: "" }];
        const parts = encodeParts(
          { query: "how does bread rise?", documents },
          scoring,
          { tokenizer, template },
          never,
        );
        const pairs: EncodedPair[] = [];
        for await (const part of parts) pairs.push(...part.pairs);
        expect(pairs.length).toBeGreaterThanOrEqual(documents.length);
        expect(new Set(pairs.map(({ secondStart }) => secondStart)).size).toBe(1);
        const expected = await aloneLogits(whole, pairs);
        const logits = await aloneLogits(shared, pairs);
        for (const [i, logit] of logits.entries()) {
          expect(Math.abs(logit - (expected[i] ?? Number.NaN))).toBeLessThanOrEqual(FP32_TOLERANCE);
        }
      }
    } finally {
      await tokenizer.close();
    }
  });

  it("is known by the model's graph", async () => {
    const qwen3 = await inspectModelFolder(fixtureFolder(MODEL));
    expect(qwen3.files.map(({ prefixBytesPerToken }) => prefixBytesPerToken)).toEqual([
      BYTES_PER_TOKEN,
      BYTES_PER_TOKEN,
    ]);
    const bert = await inspectModelFolder(fixtureFolder("bert"));
    expect(bert.files[0]?.prefixBytesPerToken).toBeUndefined();
  });
});
