import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeOnnxModel, type GraphNode } from "../../../models/builtin-bm25/onnx-encoder.js";
import { SeededRandom } from "../../support/random.js";
import { ROOT } from "./docker.js";

const FIXTURES = join(ROOT, "test/fixtures/models");
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];

export interface SumModel {
  /** Fixture whose config the model has. */
  readonly fixture: "bert" | "xlm-roberta";
  /** Folder of the tokenizer's files. */
  readonly tokenizer: string;
  /** Words of the tokenizer. */
  readonly vocabulary: number;
  /** Numbers of a word's vector. */
  readonly width: number;
}

/** Writes the folder of a model that does little and weighs much: 9.8 MB, enough for a worker to want it compiled and mapped. */
export function writeWideModel(folder: string): void {
  const bert = join(FIXTURES, "bert");
  writeSumModel(folder, { fixture: "bert", tokenizer: bert, vocabulary: 600, width: 4_096 });
}

/** Writes the folder of a model that sums up its words' vectors. */
export function writeSumModel(
  folder: string,
  { fixture, tokenizer, vocabulary, width }: SumModel,
): void {
  mkdirSync(join(folder, "onnx"), { recursive: true });
  cpSync(join(FIXTURES, fixture, "config.json"), join(folder, "config.json"));
  // Contents alone: files that are given may be read-only.
  for (const file of TOKENIZER_FILES) {
    writeFileSync(join(folder, file), readFileSync(join(tokenizer, file)));
  }
  const random = new SeededRandom(5);
  const weights = (count: number): number[] => Array.from({ length: count }, () => random.next());
  const graph = encodeOnnxModel({
    producer: "test/containers",
    opset: 17,
    graphName: "wide",
    docString: "",
    inputs: [{ name: "input_ids", type: "int64", dims: ["batch", "sequence"] }],
    outputs: [{ name: "logits", type: "float", dims: ["batch", 1] }],
    constants: new Map([
      ["words", { type: "float", dims: [vocabulary, width], data: weights(vocabulary * width) }],
      ["head", { type: "float", dims: [width, 1], data: weights(width) }],
    ]),
    nodes: [
      node("Gather", ["words", "input_ids"], "vectors"),
      node("ReduceMean", ["vectors"], "mean", { axes: [1], keepdims: 0 }),
      node("MatMul", ["mean", "head"], "logits"),
    ],
    metadata: {},
  });
  writeFileSync(join(folder, "onnx/model.onnx"), graph);
}

function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: GraphNode["attributes"] = {},
): GraphNode {
  return { opType, inputs, outputs: [output], attributes };
}
