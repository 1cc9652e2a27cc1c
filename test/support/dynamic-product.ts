import { bytesField, varintField } from "../../src/inference/prepare/graph/protobuf.js";
import {
  byteConstant,
  ELEMENT,
  floatConstant,
  makeNode,
  newConstant,
} from "../../src/inference/prepare/graph/onnx-graph.js";

/** Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
const MODEL = { irVersion: 1, graph: 7, opset: 8 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const IR_VERSION = 8;
const OPSET = 13;
const SIZE = 4;
/** The steps of an int8 weight of 1. */
const ONE = 127;

/** A graph `y = x W` with dynamic int8, where W is the identity of four rows. */
export function onnxBytes(): Buffer {
  const weights = Buffer.alloc(SIZE * SIZE);
  for (let i = 0; i < SIZE; i += 1) weights[i * (SIZE + 1)] = ONE;
  const product = makeNode({
    name: "product",
    operator: "DynamicQuantizeMatMul",
    domain: "com.microsoft",
    inputs: ["x", "w", "ws", "wz"],
    output: "y",
    integers: {},
    floats: {},
  });
  const graph = [
    bytesField(GRAPH.node, product.bytes),
    bytesField(GRAPH.name, "product"),
    ...[
      newConstant("w", ELEMENT.uint8, [SIZE, SIZE], weights),
      floatConstant("ws", 1 / ONE),
      byteConstant("wz", 0),
    ].map(({ bytes }) => bytesField(GRAPH.initializer, bytes)),
    bytesField(GRAPH.input, valueInfo("x")),
    bytesField(GRAPH.output, valueInfo("y")),
  ];
  return Buffer.concat([
    varintField(MODEL.irVersion, IR_VERSION),
    bytesField(MODEL.graph, Buffer.concat(graph)),
    bytesField(MODEL.opset, opset("", OPSET)),
    bytesField(MODEL.opset, opset("com.microsoft", 1)),
  ]);
}

function opset(domain: string, version: number): Buffer {
  return Buffer.concat([bytesField(1, domain), varintField(2, version)]);
}

/** Floats of any number of rows. */
function valueInfo(name: string): Buffer {
  const shape = Buffer.concat([
    bytesField(1, bytesField(2, "rows")),
    bytesField(1, varintField(1, SIZE)),
  ]);
  const tensor = Buffer.concat([varintField(1, ELEMENT.float), bytesField(2, shape)]);
  return Buffer.concat([bytesField(1, name), bytesField(2, bytesField(1, tensor))]);
}
