import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeOnnxModel, type GraphNode } from "../../../models/builtin-bm25/onnx-encoder.js";
import { SeededRandom } from "../../support/random.js";
import { ROOT } from "./docker.js";

/** The name of the tokenizer whose files are taken. */
const VOCABULARY = 600;
/** 9.8 MB of weights: enough for a worker to want them compiled and mapped. */
const WIDTH = 4_096;

/** Writes the folder of a model that does little and weighs much: it sums up its words' vectors. */
export function writeWideModel(folder: string): void {
  const bert = join(ROOT, "test/fixtures/models/bert");
  mkdirSync(join(folder, "onnx"), { recursive: true });
  for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    cpSync(join(bert, file), join(folder, file));
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
      ["words", { type: "float", dims: [VOCABULARY, WIDTH], data: weights(VOCABULARY * WIDTH) }],
      ["head", { type: "float", dims: [WIDTH, 1], data: weights(WIDTH) }],
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
