import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeOnnxModel } from "../../../models/builtin-bm25/onnx-encoder.js";
import { REPOSITORY } from "../support/places.js";

const BUILTIN = join(REPOSITORY, "models/builtin-bm25");
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "config.json"];
const OPSET = 13;

/**
 * Writes a model folder whose model costs nothing: the logit is the number of tokens. Everything
 * else about it is real, so that what is left is the price of a job.
 */
export async function writeFreeModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of TOKENIZER_FILES) await copyFile(join(BUILTIN, name), join(folder, name));
  const dims = ["batch", "sequence"];
  const bytes = encodeOnnxModel({
    producer: "rankmill-bench",
    opset: OPSET,
    graphName: "free",
    docString: "Counts tokens.",
    inputs: ["input_ids", "attention_mask"].map((name) => ({ name, type: "int64", dims })),
    outputs: [{ name: "logits", type: "float", dims: ["batch", 1] }],
    constants: new Map([["axes", { type: "int64", dims: [1], data: [1n] }]]),
    nodes: [
      // Both inputs have a part in it: one without would be dropped from the graph.
      node("Mul", ["input_ids", "attention_mask"], "ids"),
      node("Sub", ["ids", "ids"], "zeros"),
      node("Add", ["attention_mask", "zeros"], "ones"),
      node("Cast", ["ones"], "floats", { to: 1 }),
      node("ReduceSum", ["floats", "axes"], "logits", { keepdims: 1 }),
    ],
    metadata: {},
  });
  await writeFile(join(folder, "model.onnx"), bytes);
}

function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>> = {},
) {
  return { opType, inputs, outputs: [output], attributes };
}
