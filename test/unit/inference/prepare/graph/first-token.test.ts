import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../../../models/builtin-bm25/graph-builder.js";
import { encodeOnnxModel } from "../../../../../models/builtin-bm25/onnx-encoder.js";
import { keepFirstToken } from "../../../../../src/inference/prepare/graph/first-token.js";
import {
  readGraph,
  type OnnxGraph,
} from "../../../../../src/inference/prepare/graph/onnx-graph.js";

interface End {
  /** The token that is read at the end. */
  readonly token?: number;
  readonly axis?: number;
  /** Between the last normalisation and the choice of a token. */
  readonly after?: (graph: GraphBuilder, value: string) => string;
}

/** Two layers of attention over `hidden`, and a head that reads one token. */
function graphOf({ token = 0, axis = 1, after = (_, value) => value }: End = {}): OnnxGraph {
  const graph = new GraphBuilder();
  const layer = (number: number, hidden: string): string => {
    const project = (what: string, value: string): string =>
      graph.op(`${what}${number}`, "MatMul", [value, graph.floatTable(`w_${what}${number}`, [1])]);
    const projected = ["query", "key", "value"].map((what) => project(what, hidden));
    const attended = graph.op(`attended${number}`, "MultiHeadAttention", projected);
    const joined = graph.op(`joined${number}`, "Add", [project("out", attended), hidden]);
    const weights = graph.floatTable(`norm${number}`, [1]);
    return graph.op(`normal${number}`, "LayerNormalization", [joined, weights], { axis: -1 });
  };
  const last = after(graph, layer(1, layer(0, "hidden")));
  const first = graph.op("chosen", "Gather", [last, graph.integer(token)], { axis });
  graph.op("logits", "MatMul", [first, graph.floatTable("head", [1])]);
  const dims = ["rows", "tokens"];
  const model = graph.build({
    producer: "test",
    opset: 17,
    graphName: "end",
    docString: "",
    inputs: [{ name: "hidden", type: "float", dims: [...dims, 1] }],
    outputs: [{ name: "logits", type: "float", dims }],
    metadata: {},
  });
  return readGraph(Buffer.from(encodeOnnxModel(model)));
}

describe("the last layer of a graph that reads the first token", () => {
  it("computes nothing of the others but keys and values", () => {
    const found = keepFirstToken(graphOf());
    const node = (output: string) => found?.nodes.find(({ outputs }) => outputs.includes(output));
    expect(node("chosen")?.inputs).toEqual(["normal1/first", "int_0"]);
    expect(node("normal1/first")?.inputs).toEqual(["joined1/first", "norm1"]);
    // The input is chosen from; it is needed whole for the keys.
    expect(node("joined1/first")?.inputs).toEqual(["out1/first", "normal0/first"]);
    expect(node("normal0/first")).toMatchObject({
      operator: "Gather",
      inputs: ["normal0", "rankmill/first"],
    });
    expect(node("attended1/first")?.inputs).toEqual(["query1/first", "key1", "value1"]);
    expect(node("query1/first")?.inputs).toEqual(["normal0/first", "w_query1"]);
    // The layer below stays as it is.
    expect(node("attended0/first")).toBeUndefined();
  });

  it("has its nodes in an order in which they can be run", () => {
    const known = new Set(["hidden", "", "rankmill/first", ...graphOf().constants.keys()]);
    for (const { inputs, outputs } of keepFirstToken(graphOf())?.nodes ?? []) {
      expect([...inputs].filter((input) => !known.has(input))).toEqual([]);
      for (const output of outputs) known.add(output);
    }
    expect(known).toContain("logits");
  });

  it("is given beside the original, to compare the two", () => {
    const found = keepFirstToken(graphOf());
    expect(found).toMatchObject({ original: "chosen", first: "chosen/first" });
    const outputs = found?.comparison.flatMap((node) => node.outputs);
    expect(outputs).toEqual(expect.arrayContaining(["chosen", "chosen/first", "normal1"]));
    expect(new Set(outputs).size).toBe(outputs?.length);
  });
});

it.each<[string, End]>([
  ["reads another token", { token: 1 }],
  ["chooses along another axis", { axis: 2 }],
  [
    "has something before the choice that looks at several tokens",
    { after: (graph, value) => graph.op("mean", "CumSum", [value, graph.integer(1)]) },
  ],
  [
    "multiplies tokens with each other",
    { after: (graph, value) => graph.op("gram", "MatMul", [value, value]) },
  ],
])("leaves alone a graph that %s", (_, end) => {
  expect(keepFirstToken(graphOf(end))).toBeUndefined();
});
