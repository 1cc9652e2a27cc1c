/**
 * Writes an ONNX model file. ONNX is a protocol-buffers message; the few fields that a graph of
 * standard operators needs are written here by hand, so that the product needs neither Python nor
 * a protobuf package. Field numbers: onnx.proto3 of ONNX 1.16 (IR version 8, Apache-2.0).
 */

/** `TensorProto.DataType`. */
export const DATA_TYPE = { float: 1, int32: 6, int64: 7, bool: 9 } as const;
type DataType = keyof typeof DATA_TYPE;

/** A constant of the graph. `data` is row-major and as long as the product of `dims`. */
export interface TensorConstant {
  readonly type: "float" | "int64";
  readonly dims: readonly number[];
  readonly data: readonly number[] | readonly bigint[];
}

export type AttributeValue = number | string | readonly number[] | TensorConstant;

export interface GraphNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** An input or output; a string in `dims` names a dimension that is known at run time only. */
export interface GraphValue {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly (number | string)[];
}

export interface OnnxModel {
  readonly producer: string;
  readonly opset: number;
  readonly graphName: string;
  readonly docString: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly constants: ReadonlyMap<string, TensorConstant>;
  readonly nodes: readonly GraphNode[];
  readonly metadata: Readonly<Record<string, string>>;
}

const IR_VERSION = 8;
const ATTRIBUTE_TYPE = { int: 2, string: 3, tensor: 4, ints: 7 } as const;
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

type Chunk = Uint8Array;

function varint(value: number | bigint): Chunk {
  // A negative int64 is written as its two's complement, ten bytes long.
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

function concat(chunks: readonly Chunk[]): Chunk {
  return new Uint8Array(Buffer.concat(chunks));
}

function integer(field: number, value: number | bigint): Chunk {
  return concat([varint((field << 3) | WIRE_VARINT), varint(value)]);
}

function bytes(field: number, value: Chunk): Chunk {
  return concat([varint((field << 3) | WIRE_BYTES), varint(value.length), value]);
}

function text(field: number, value: string): Chunk {
  return bytes(field, new TextEncoder().encode(value));
}

function message(field: number, parts: readonly Chunk[]): Chunk {
  return bytes(field, concat(parts));
}

/** `TensorProto.raw_data`: little-endian on every machine, hence DataView and not typed arrays. */
function rawData(tensor: TensorConstant): Chunk {
  const width = tensor.type === "float" ? 4 : 8;
  const view = new DataView(new ArrayBuffer(tensor.data.length * width));
  for (const [index, value] of tensor.data.entries()) {
    if (tensor.type === "float") view.setFloat32(index * width, Number(value), true);
    else view.setBigInt64(index * width, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

function tensorProto(name: string, tensor: TensorConstant): Chunk[] {
  const expected = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (expected !== tensor.data.length) {
    throw new RangeError(`${name}: ${tensor.data.length} values for a shape of ${expected}`);
  }
  return [
    ...tensor.dims.map((dim) => integer(1, dim)),
    integer(2, DATA_TYPE[tensor.type]),
    text(8, name),
    bytes(9, rawData(tensor)),
  ];
}

function attributeProto(name: string, value: AttributeValue): Chunk[] {
  if (typeof value === "number") {
    return [text(1, name), integer(3, value), integer(20, ATTRIBUTE_TYPE.int)];
  }
  if (typeof value === "string") {
    return [text(1, name), text(4, value), integer(20, ATTRIBUTE_TYPE.string)];
  }
  if ("data" in value) {
    return [
      text(1, name),
      message(5, tensorProto("value", value)),
      integer(20, ATTRIBUTE_TYPE.tensor),
    ];
  }
  return [
    text(1, name),
    ...value.map((item) => integer(8, item)),
    integer(20, ATTRIBUTE_TYPE.ints),
  ];
}

function nodeProto(node: GraphNode): Chunk[] {
  return [
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(3, node.outputs[0] ?? ""),
    text(4, node.opType),
    ...Object.entries(node.attributes).map(([name, value]) =>
      message(5, attributeProto(name, value)),
    ),
  ];
}

function valueInfoProto(value: GraphValue): Chunk[] {
  const shape = value.dims.map((dim) =>
    message(1, [typeof dim === "number" ? integer(1, dim) : text(2, dim)]),
  );
  const tensorType = [integer(1, DATA_TYPE[value.type]), message(2, shape)];
  return [text(1, value.name), message(2, [message(1, tensorType)])];
}

/** @returns the bytes of a `ModelProto`; equal models give equal bytes */
export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const graph = [
    ...model.nodes.map((node) => message(1, nodeProto(node))),
    text(2, model.graphName),
    ...[...model.constants].map(([name, tensor]) => message(5, tensorProto(name, tensor))),
    text(10, model.docString),
    ...model.inputs.map((value) => message(11, valueInfoProto(value))),
    ...model.outputs.map((value) => message(12, valueInfoProto(value))),
  ];
  return concat([
    integer(1, IR_VERSION),
    text(2, model.producer),
    message(7, graph),
    message(8, [text(1, ""), integer(2, model.opset)]),
    ...Object.entries(model.metadata).map(([key, value]) =>
      message(14, [text(1, key), text(2, value)]),
    ),
  ]);
}
