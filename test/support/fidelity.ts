import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLAIN_HEAD } from "../../src/core/heads/head-use.js";
import type { Form } from "../../src/core/forms/registry.js";
import type { EncodedPair } from "../../src/core/pair.js";
import { quantisedHandling, readCpuFeatures } from "../../src/inference/host/cpu-features.js";
import { LaneProcess, type LaneProcessOptions } from "../../src/inference/lanes/lane-process.js";
import { prepareModel } from "../../src/inference/prepare/prepare-model.js";
import { encodeParts } from "../../src/pipeline/encode/encode-documents.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { withFileLease } from "../../src/platform/file-lease.js";
import { fixtureFolder, laneOptions, PREPARE_ENTRY, type FixtureModel } from "./lanes.js";

/** One model an architecture, random weights, scored by the framework that made it. */
export const ARCHITECTURES: readonly FixtureModel[] = [
  "bert",
  "electra",
  "xlm-roberta",
  "modernbert",
  "ettin",
  "deberta-v2",
  "qwen2",
  "qwen3",
  "gemma",
  "llama",
  "llama-bidirectional",
];

/** Largest difference of a logit from the framework's that fp32 may show. */
export const FP32_TOLERANCE = 1e-4;

export const FILE_OF = {
  fp32: "model.onnx",
  fp16: "model_fp16.onnx",
  int8: "model_int8.onnx",
} as const;
type FixturePrecision = keyof typeof FILE_OF;

const NEVER = new AbortController().signal;

/** A line of a fixture's expected.json: models/export/README.md says how it was computed. */
interface Expected {
  readonly query: string;
  readonly document: string;
  /** Absent in those of a model with a prompt, which are not cut. */
  readonly maxLength?: number;
  readonly truncation?: "only-second" | "longest-first";
  readonly instruction?: string | null;
  readonly ids: readonly number[];
  readonly typeIds?: readonly number[];
  readonly logit: number;
}

/** A file of a model, and the numeric form that is made of it; undefined: its own. */
export interface FidelityWay {
  readonly precision: FixturePrecision;
  readonly form?: Form | undefined;
}

export interface Fidelity {
  readonly pairs: number;
  /** Shortest and longest pair, tokens. */
  readonly lengths: readonly [number, number];
  /** Pairs whose token ids or types are not the reference's. */
  readonly differentIds: number;
  /** Largest difference of a logit from the framework's; undefined in a form, which exists prepared alone. */
  readonly logitDifference: number | undefined;
  /** The same if the lane maps the prepared model. */
  readonly preparedDifference: number;
  /** Pairs that the prepared model scores differently, to the bit; undefined in a form. */
  readonly preparedOtherBits: number | undefined;
}

/**
 * Scores a fixture's pairs with the product's own tokenizer, pair assembly and lanes.
 *
 * @param cacheDir where the prepared model goes
 */
export async function measureFidelity(
  model: FixtureModel,
  { precision, form }: FidelityWay,
  cacheDir: string,
): Promise<Fidelity> {
  const folder = fixtureFolder(model);
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Expected[];
  const pairs = await encode(folder, expected);
  const plain =
    form === undefined ? await scoreAlone(await fileOptions(model, precision), pairs) : undefined;
  const mapped = await scoreAlone(await preparedOptions(model, precision, cacheDir, form), pairs);
  const furthest = (logits: readonly number[]): number =>
    Math.max(...expected.map(({ logit }, i) => Math.abs(logit - (logits[i] ?? Number.NaN))));
  const lengths = pairs.map(({ ids }) => ids.length);
  return {
    pairs: pairs.length,
    lengths: [Math.min(...lengths), Math.max(...lengths)],
    differentIds: expected.filter((wanted, i) => !sameIds(wanted, pairs[i])).length,
    logitDifference: plain && furthest(plain),
    preparedDifference: furthest(mapped),
    preparedOtherBits: plain?.filter((logit, i) => !Object.is(logit, mapped[i])).length,
  };
}

/** Options of lanes that run a fixture's file, with exact products where this CPU's own are not. */
async function fileOptions(
  model: FixtureModel,
  precision: FixturePrecision,
): Promise<LaneProcessOptions> {
  const options = laneOptions(model, FILE_OF[precision]);
  const { exactInt8 } = quantisedHandling(precision, await readCpuFeatures());
  return { ...options, model: { ...options.model, exactInt8 } };
}

/** Options of lanes that run a fixture as `prepare` makes it. */
export async function preparedOptions(
  model: FixtureModel,
  precision: FixturePrecision,
  cacheDir: string,
  form?: Form,
): Promise<LaneProcessOptions> {
  const file = FILE_OF[precision];
  const path = join(fixtureFolder(model), "onnx", file);
  const { onnxPath, unmasked } = await prepareModel({
    onnxPath: path,
    externalData: [],
    modelDigest: createHash("sha256").update(readFileSync(path)).digest("hex"),
    precision,
    form,
    head: PLAIN_HEAD,
    cacheDir: join(cacheDir, model),
    entryPath: PREPARE_ENTRY,
    env: process.env,
    exclusively: (claimed, onWait, work) => withFileLease(claimed, { onWait }, work),
  });
  const options = laneOptions(model, file);
  return { ...options, model: { ...options.model, onnxPath, prepared: true, unmasked } };
}

async function encode(folder: string, expected: readonly Expected[]): Promise<EncodedPair[]> {
  const { tokenizer, template } = await openTokenizer(folder);
  try {
    const pairs: EncodedPair[] = [];
    for (const { query, document, instruction, ...cut } of expected) {
      const { maxLength = 1_024, truncation = "only-second" } = cut;
      const given = instruction == null ? {} : { instruction };
      const scoring = resolveScoring({ maxLength, truncation, ...given });
      const request = { query, documents: [{ text: document }] };
      const parts = encodeParts(request, scoring, { tokenizer, template }, NEVER);
      for await (const part of parts) pairs.push(...part.pairs);
    }
    return pairs;
  } finally {
    await tokenizer.close();
  }
}

/** Token types count if the model reads them: elsewhere the reference has zeros alone. */
function sameIds({ ids, typeIds = [] }: Expected, pair: EncodedPair | undefined): boolean {
  if (pair?.ids.length !== ids.length) return false;
  const { secondStart } = pair;
  const typed = typeIds.includes(1);
  return ids.every(
    (id, at) => id === pair.ids[at] && (!typed || typeIds[at] === (at < secondStart ? 0 : 1)),
  );
}

async function scoreAlone(
  options: ReturnType<typeof laneOptions>,
  pairs: readonly EncodedPair[],
): Promise<number[]> {
  const lane = await LaneProcess.start(0, options);
  try {
    return (await lane.score(pairs.map((pair) => [pair]))).flat();
  } finally {
    lane.kill();
    await lane.died;
  }
}
