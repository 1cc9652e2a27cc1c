import { expect, it } from "vitest";
import type {
  OnnxGraph,
  OnnxNode,
  SmallTensor,
} from "../../../../../src/inference/prepare/graph/onnx-graph.js";
import { UniformValues } from "../../../../../src/inference/prepare/graph/uniform-values.js";

type Step = [output: string, operator: string, inputs: string[], attributes?: object];

function graphOf(steps: Step[], constants: Record<string, SmallTensor | undefined>): OnnxGraph {
  const nodes = steps.map(([output, operator, inputs, attributes = {}]): OnnxNode => ({
    operator,
    domain: "",
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
    hasSubgraph: false,
    bytes: Buffer.alloc(0),
  }));
  const names = Object.entries(constants);
  return { nodes, constants: new Map(names), inputs: ["mask", "other"], outputs: [] };
}

const SCALARS = Object.fromEntries(
  [0, 1, -2, 64].map((value) => [`${value}`, { dimensions: [], values: [value] }]),
);
const FLOAT = 1;
const INT8 = 3;
const BOOL = 9;

it.each<[string, Step[], number | undefined]>([
  ["an input that holds one number", [["x", "Identity", ["mask"]]], 1],
  ["an input that may hold anything", [["x", "Identity", ["other"]]], undefined],
  ["what only changes shape", [["x", "Expand", ["mask", "other"]]], 1],
  ["arithmetic", [["x", "Sub", ["1", "mask"]]], 0],
  ["arithmetic with what is not known", [["x", "Mul", ["0", "other"]]], undefined],
  ["a comparison", [["x", "Equal", ["mask", "64"]]], 0],
  [
    "a choice that is known",
    [
      ["c", "Cast", ["mask"], { to: BOOL }],
      ["x", "Where", ["c", "-2", "other"]],
    ],
    -2,
  ],
  ["a choice between equals", [["x", "Where", ["other", "1", "mask"]]], 1],
  ["a choice that is not known", [["x", "Where", ["other", "0", "1"]]], undefined],
  ["a negation", [["x", "Not", ["mask"]]], 0],
  ["a cast of a small whole number", [["x", "Cast", ["-2"], { to: FLOAT }]], -2],
  [
    "a cast that might overflow",
    [
      ["m", "Mul", ["64", "64"]],
      ["x", "Cast", ["m"], { to: INT8 }],
    ],
    undefined,
  ],
  [
    "a constant of the graph",
    [["x", "Constant", [], { value: { dimensions: [2], values: [3, 3] } }]],
    3,
  ],
  [
    "a constant of several numbers",
    [["x", "Constant", [], { value: { dimensions: [2], values: [3, 4] } }]],
    undefined,
  ],
  ["zeros of some shape", [["x", "ConstantOfShape", ["other"]]], 0],
  ["an operator that is not known", [["x", "Softmax", ["mask"]]], undefined],
  ["positions", [["x", "CumSum", ["mask", "1"]]], undefined],
])("the one value of %s is known, or that there is none", (_, steps, wanted) => {
  const values = new UniformValues(graphOf(steps, SCALARS), { mask: 1 });
  expect(values.of("x")).toBe(wanted);
});

it("the values of constants that lie elsewhere, and of operators of other domains, stay unknown", () => {
  const graph = graphOf([["x", "Identity", ["weights"]]], { weights: undefined });
  expect(new UniformValues(graph, {}).of("x")).toBeUndefined();
  const [node] = graphOf([["y", "Identity", ["mask"]]], {}).nodes;
  const custom = { ...graph, nodes: [{ ...(node as OnnxNode), domain: "com.example" }] };
  expect(new UniformValues(custom, { mask: 1 }).of("y")).toBeUndefined();
});
