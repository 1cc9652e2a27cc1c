import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../../../models/builtin-bm25/graph-builder.js";
import { DATA_TYPE, encodeOnnxModel } from "../../../../../models/builtin-bm25/onnx-encoder.js";
import { fuseAttention } from "../../../../../src/inference/prepare/graph/fuse-attention.js";
import { readGraph } from "../../../../../src/inference/prepare/graph/onnx-graph.js";

const HEADS = 4;
const SIZE = 8;
/** Whole, since the encoder of the tests writes whole attributes only. */
const SCALE = 2;

interface Attention {
  /** The value that is added to the scores, made from the graph's inputs. */
  readonly mask?: (graph: GraphBuilder) => string;
  readonly keyHeads?: number;
  readonly keyOrder?: readonly number[];
  /** The scale of the product of queries and keys. */
  readonly product?: Readonly<Record<string, number>>;
  readonly backOrder?: readonly number[];
}

/** 0 if `attention_mask` is 1, the least float if it is 0, as encoders have it. */
function usualMask(graph: GraphBuilder): string {
  const unsqueezed = graph.op("unsqueezed", "Unsqueeze", ["attention_mask", graph.integers(1, 2)]);
  const asFloat = graph.op("as_float", "Cast", [unsqueezed], { to: DATA_TYPE.float });
  const inverted = graph.op("inverted", "Sub", [graph.float(1), asFloat]);
  return graph.op("mask", "Mul", [inverted, graph.float(-3e38)]);
}

/** One layer of attention over `hidden`, as ONNX Runtime's optimiser leaves it. */
function model({
  mask = usualMask,
  keyHeads = HEADS,
  keyOrder = [0, 2, 3, 1],
  product = {},
  backOrder = [0, 2, 1, 3],
}: Attention = {}): Buffer {
  const graph = new GraphBuilder();
  const split = (what: string, heads: number, order: readonly number[]): string => {
    const projected = graph.op(what, "MatMul", ["hidden", "weights"]);
    const shape = graph.integers(0, 0, heads, SIZE);
    const reshaped = graph.op(`${what}_heads`, "Reshape", [projected, shape]);
    return graph.op(`${what}_split`, "Transpose", [reshaped], { perm: order });
  };
  const query = split("query", HEADS, [0, 2, 1, 3]);
  const key = split("key", keyHeads, keyOrder);
  const value = split("value", HEADS, [0, 2, 1, 3]);
  const scores = graph.op("scores", "FusedMatMul", [query, key], { alpha: SCALE, ...product });
  const masked = graph.op("masked", "Add", [scores, mask(graph)]);
  const shares = graph.op("shares", "Softmax", [masked], { axis: -1 });
  const weighted = graph.op("weighted", "MatMul", [shares, value]);
  const back = graph.op("back", "Transpose", [weighted], { perm: backOrder });
  const joined = graph.op("joined", "Reshape", [back, graph.integers(0, 0, HEADS * SIZE)]);
  graph.op("logits", "MatMul", [joined, "head"]);
  return encode(graph);
}

function encode(graph: GraphBuilder): Buffer {
  const dims = ["rows", "tokens"];
  return Buffer.from(
    encodeOnnxModel(
      graph.build({
        producer: "test",
        opset: 17,
        graphName: "attention",
        docString: "",
        inputs: [
          { name: "hidden", type: "float", dims: [...dims, HEADS * SIZE] },
          { name: "attention_mask", type: "int64", dims },
        ],
        outputs: [{ name: "logits", type: "float", dims }],
        metadata: {},
      }),
    ),
  );
}

describe("a graph with the attention of an encoder", () => {
  it("gets one node for it, that takes the same values", () => {
    const fused = fuseAttention(model());
    const { nodes, constants, inputs } = readGraph(fused?.model ?? Buffer.alloc(0));
    const operators = nodes.map(({ operator }) => operator);
    expect(operators).toEqual(["MatMul", "MatMul", "MatMul", "MultiHeadAttention", "MatMul"]);
    const attention = nodes[3];
    expect(attention).toMatchObject({ domain: "com.microsoft", outputs: ["joined"] });
    expect(attention?.inputs).toEqual(["query", "key", "value"]);
    expect(attention?.attributes).toEqual(
      new Map([
        ["num_heads", HEADS],
        ["scale", SCALE],
      ]),
    );
    // Asked for as before, and nothing kept that no node needs.
    expect(inputs).toEqual(["hidden", "attention_mask"]);
    expect([...constants.keys()]).toEqual([]);
  });

  it("is given beside the original, to compare the two", () => {
    const fused = fuseAttention(model());
    const { nodes, outputs } = readGraph(fused?.comparison ?? Buffer.alloc(0));
    expect(fused?.layers).toEqual([{ original: "joined", fused: "joined/fused" }]);
    expect(outputs).toEqual(["logits", "joined", "joined/fused"]);
    const before = readGraph(model()).nodes.map(({ operator }) => operator);
    expect(nodes.map(({ operator }) => operator)).toEqual([...before, "MultiHeadAttention"]);
  });

  it("is recognised if the product transposes the keys, too", () => {
    const other = model({ keyOrder: [0, 2, 1, 3], product: { transB: 1 } });
    expect(fuseAttention(other)).toBeDefined();
  });

  it.each<[string, Attention]>([
    ["keys transposed once too often", { product: { transB: 1 } }],
    ["keys not transposed", { keyOrder: [0, 2, 1, 3] }],
    ["other heads in its keys", { keyHeads: 2 }],
    ["a result in another order", { backOrder: [0, 1, 2, 3] }],
  ])("stays as it is with %s", (_, attention) => {
    expect(fuseAttention(model(attention))).toBeUndefined();
  });

  it.each<[string, Attention["mask"]]>([
    ["is not known", () => "hidden"],
    ["is 1 for a row without padding", (graph) => graph.op("m", "Cast", ["attention_mask"])],
    [
      "is a window as well",
      (graph) => {
        const window = graph.op("window", "Less", ["distances", graph.float(64)]);
        return graph.op("m", "Where", [window, usualMask(graph), graph.float(-3e38)]);
      },
    ],
    ["has a bias added", (graph) => graph.op("m", "Add", [usualMask(graph), "position_bias"])],
  ])("stays as it is where what is added %s", (_, mask) => {
    expect(fuseAttention(model(mask === undefined ? {} : { mask }))).toBeUndefined();
  });
});

it("the fusion leaves a graph without attention alone, and refuses what is no model", () => {
  const graph = new GraphBuilder();
  graph.op("logits", "MatMul", ["attention_mask", "weights"]);
  expect(fuseAttention(encode(graph))).toBeUndefined();
  expect(() => fuseAttention(model().subarray(0, 300))).toThrow(RangeError);
});
