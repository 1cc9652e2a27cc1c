/** Dynamic int8 with a scale per row of activations: made by preparing, nearer to fp32, refused if it cannot be had. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN_HEAD } from "../../src/core/heads/head-use.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { LaneProcess, type LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { FIRST_PLACE } from "../../src/inference/prepare/graph/first-token.js";
import { readGraph } from "../../src/inference/prepare/graph/onnx-graph.js";
import { scaleRows } from "../../src/inference/prepare/graph/row-scales.js";
import { prepareModel, type PreparedModel } from "../../src/inference/prepare/prepare-model.js";
import { withFileLease } from "../../src/platform/file-lease.js";
import { DATA } from "../support/data.js";
import { onnxBytes } from "../support/dynamic-product.js";
import { fixtureFolder, laneOptions, PREPARE_ENTRY, randomPair } from "../support/lanes.js";
import { given, longTests, testData } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";

const ONE_TOKEN_TO_MANY = [3, 17, 64, 64, 111, 150];
const FILE = join(fixtureFolder("bert"), "onnx/model_int8.onnx");
const WITHOUT_VNNI = { arch: "x64", flags: ["avx2", "fma"], model: "a CPU without VNNI" };
/** Share of the file's own error that may be left of pairs of any tokens; of real texts 0.4 is left, as the bench shows. */
const SHARE_OF_ERROR = 0.85;
/** Random weights have rows of one size: nothing is gained there, and little lost. */
const FURTHER = 1.25;

let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "rankmill-rows-"));
});

afterAll(() => rm(cacheDir, { recursive: true, force: true }));

async function prepareRows(onnxPath: string, cpu?: typeof WITHOUT_VNNI): Promise<PreparedModel> {
  return await prepareModel({
    onnxPath,
    externalData: [],
    modelDigest: Buffer.from(onnxPath).toString("hex").slice(-64),
    precision: "int8",
    form: "rows",
    head: PLAIN_HEAD,
    cacheDir,
    cpu,
    entryPath: PREPARE_ENTRY,
    env: process.env,
    exclusively: (path, onWait, work) => withFileLease(path, { onWait }, work),
  });
}

function trained(name: string): string {
  return join(DATA, "models/minilm-scifact/onnx", name);
}

function somePairs(): EncodedPair[] {
  const random = new SeededRandom(11);
  return ONE_TOKEN_TO_MANY.flatMap((length) => [1, 2].map(() => randomPair(random, length)));
}

async function logitsOf(options: LaneProcessOptions): Promise<number[]> {
  const lane = await LaneProcess.start(0, options);
  try {
    return (await lane.score(somePairs().map((pair) => [pair]))).flat();
  } finally {
    lane.kill();
    await lane.died;
  }
}

async function preparedLogits({ onnxPath, unmasked, exactInt8 }: PreparedModel): Promise<number[]> {
  const { model, ...options } = laneOptions("bert");
  const prepared = { ...model, onnxPath, prepared: true, unmasked, exactInt8 };
  return await logitsOf({ ...options, model: prepared });
}

function distance(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, logit, i) => sum + Math.abs(logit - (other[i] ?? Number.NaN)), 0);
}

describe("a dynamic int8 model with a scale per row", () => {
  it("does as little as any prepared one, and is as near to fp32 as its file if all rows are of one size", async () => {
    const rows = await prepareRows(FILE);
    const { nodes } = readGraph(await readFile(rows.onnxPath));
    const operators = new Set(nodes.map(({ operator }) => operator));
    expect(operators).toContain("MultiHeadAttention");
    expect(operators).not.toContain("DynamicQuantizeLinear");
    expect(operators).not.toContain("DynamicQuantizeMatMul");
    expect(nodes.flatMap(({ inputs }) => inputs)).toContain(FIRST_PLACE);
    const fp32 = await logitsOf(laneOptions("bert"));
    const { model, ...options } = laneOptions("bert", "model_int8.onnx");
    const file = await logitsOf({ ...options, model: { ...model, exactInt8: rows.exactInt8 } });
    const scored = await preparedLogits(rows);
    expect(distance(scored, fp32)).toBeGreaterThan(0);
    expect(distance(scored, fp32)).toBeLessThan(FURTHER * distance(file, fp32));
  });

  it("gives the same logits on a CPU without VNNI, whose products must be made exact", async () => {
    const exact = await prepareRows(FILE, WITHOUT_VNNI);
    expect(exact.exactInt8).toBe(true);
    const usual = await prepareRows(FILE);
    expect(await preparedLogits(exact)).toEqual(await preparedLogits(usual));
  });

  it("is prepared apart from the file's own numbers", async () => {
    const again = await prepareRows(FILE);
    expect(again.reused).toBe(true);
    const own = await prepareModel({
      onnxPath: FILE,
      externalData: [],
      modelDigest: Buffer.from(FILE).toString("hex").slice(-64),
      precision: "int8",
      head: PLAIN_HEAD,
      cacheDir,
      entryPath: PREPARE_ENTRY,
      env: process.env,
      exclusively: (path, onWait, work) => withFileLease(path, { onWait }, work),
    });
    expect(own.key).not.toBe(again.key);
  });

  it("is refused for a file whose products are not quantised as they run", async () => {
    const refused = prepareRows(join(fixtureFolder("bert"), "onnx/model.onnx"));
    await expect(refused).rejects.toThrow("takes no scale per row");
  });
});

describe(
  "a trained int8 model",
  given(longTests, testData("models/minilm-scifact/onnx/model_int8.onnx")),
  () => {
    it("errs less with a scale per row than with one per tensor", async () => {
      const rows = await prepareRows(trained("model_int8.onnx"));
      const { model, ...options } = laneOptions("bert");
      const logitsIn = (changes: Partial<typeof model>): Promise<number[]> =>
        logitsOf({ ...options, model: { ...model, exactInt8: rows.exactInt8, ...changes } });
      const fp32 = await logitsIn({ onnxPath: trained("model.onnx") });
      const file = await logitsIn({ onnxPath: trained("model_int8.onnx") });
      const scored = await preparedLogits(rows);
      expect(distance(scored, fp32)).toBeLessThan(SHARE_OF_ERROR * distance(file, fp32));
    });
  },
);

describe("the product of rows", () => {
  it("is that of each row alone: zeros, numbers that are none and large ones spoil no other", async () => {
    const { default: ort } = await import("onnxruntime-node");
    const path = join(cacheDir, "product.onnx");
    await writeFile(path, scaleRows(onnxBytes())?.model ?? "");
    const session = await ort.InferenceSession.create(path);
    const rows = [
      [1, -2, 3, 4],
      [0, 0, 0, 0],
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      [1e30, 0, 0, -1e30],
      [1e-30, 0, 0, 1e-30],
      [0.001, -0.002, 0.003, 0.004],
    ];
    const productsOf = async (some: readonly number[][]): Promise<number[]> => {
      const x = new ort.Tensor("float32", Float32Array.from(some.flat()), [some.length, 4]);
      const { y } = await session.run({ x });
      return y?.data instanceof Float32Array ? [...y.data] : [];
    };
    const together = await productsOf(rows);
    const alone = (await Promise.all(rows.map((row) => productsOf([row])))).flat();
    expect(together).toEqual(alone);
    const [plain, zeros, none, large, , small] = rows.map((_, i) =>
      together.slice(4 * i, 4 * i + 4),
    );
    // The weights are the identity.
    plain?.forEach((value, i) => expect(value).toBeCloseTo(rows[0]?.[i] ?? Number.NaN, 1));
    expect(zeros?.map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect(none?.every(Number.isNaN)).toBe(true);
    expect(large?.[0]).toBeGreaterThan(9e29);
    small?.forEach((value, i) => expect(value * 1_000).toBeCloseTo(plain?.[i] ?? Number.NaN, 1));
  });
});
