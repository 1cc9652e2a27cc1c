import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readGraph } from "../../../../src/inference/prepare/graph/onnx-graph.js";
import {
  findDynamicProducts,
  type GraphNode,
} from "../../../../src/models/onnx/dynamic-products.js";
import { readOnnxOutline } from "../../../../src/models/onnx/onnx-outline.js";

const FIXTURES = join(import.meta.dirname, "../../../fixtures/models");
const CONSTANTS = new Set(["w", "ws", "wz", "b"]);

function node(operator: string, inputs: readonly string[], outputs: readonly string[]): GraphNode {
  return { operator, inputs, outputs };
}

const QUANTISE = node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]);
const PRODUCT = node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]);
const CAST = node("Cast", ["i"], ["f"]);
const SCALES = node("Mul", ["s", "ws"], ["k"]);
const SCALED = node("Mul", ["f", "k"], ["y"]);
const AS_WRITTEN = [QUANTISE, PRODUCT, CAST, SCALES, SCALED];

function find(nodes: readonly GraphNode[], outputs: readonly string[] = ["out"]): unknown {
  return findDynamicProducts({ nodes, constants: CONSTANTS, outputs });
}

describe("the dynamic int8 products of a graph", () => {
  it("are found as the quantiser writes them", () => {
    expect(find(AS_WRITTEN)).toEqual([
      {
        activations: "x",
        weights: "w",
        weightScale: "ws",
        weightZero: "wz",
        bias: undefined,
        output: "y",
        last: SCALED,
        nodes: AS_WRITTEN,
      },
    ]);
  });

  it("are found as the optimiser leaves them", () => {
    const whole = node("DynamicQuantizeMatMul", ["x", "w", "ws", "wz", "b"], ["y"]);
    const both = [
      QUANTISE,
      node("MatMulIntegerToFloat", ["q", "w", "s", "ws", "z", "wz", "b"], ["a"]),
      node("MatMulIntegerToFloat", ["q", "w", "s", "ws", "z"], ["c"]),
    ];
    expect(find([whole])).toMatchObject([{ activations: "x", bias: "b", output: "y" }]);
    expect(find(both)).toMatchObject([
      { weightZero: "wz", bias: "b", output: "a" },
      { weightZero: undefined, bias: undefined, output: "c" },
    ]);
  });

  it.each<[string, readonly GraphNode[], (readonly string[])?]>([
    ["nothing is quantised", [node("MatMul", ["x", "w"], ["y"])]],
    ["something else reads a scale", [...AS_WRITTEN, node("Identity", ["s"], ["t"])]],
    ["something else reads a zero", [...AS_WRITTEN, node("Identity", ["z"], ["t"])]],
    ["something else reads the whole numbers", [...AS_WRITTEN, node("Identity", ["i"], ["t"])]],
    ["something else reads quantised activations", [...AS_WRITTEN, node("Cast", ["q"], ["t"])]],
    ["the graph gives the whole numbers away", AS_WRITTEN, ["i"]],
    ["both sides are quantised", [node("DynamicQuantizeMatMul", ["x", "v", "ws"], ["y"])]],
    ["a product has a scale of its own", [node("MatMulInteger", ["p", "w"], ["i"])]],
    ["an LSTM is quantised beside", [...AS_WRITTEN, node("DynamicQuantizeLSTM", ["x"], ["t"])]],
    ["attention is quantised beside", [...AS_WRITTEN, node("QAttention", ["x"], ["t"])]],
  ])("are none if %s", (_, nodes, outputs) => {
    expect(find(nodes, outputs)).toBeUndefined();
  });

  it.each(["bert", "electra", "xlm-roberta", "modernbert", "ettin", "deberta-v2"])(
    "of %s are found without reading its weights, and so are its fp32 file's none",
    (model) => {
      const path = (name: string): string => join(FIXTURES, model, "onnx", name);
      const products = findDynamicProducts(readGraph(readFileSync(path("model_int8.onnx"))));
      expect(products?.length).toBeGreaterThan(0);
      expect(readOnnxOutline(path("model_int8.onnx")).takesRowScales).toBe(true);
      expect(readOnnxOutline(path("model.onnx")).takesRowScales).toBe(false);
    },
  );
});
