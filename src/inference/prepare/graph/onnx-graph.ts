/**
 * An ONNX model whose weights lie in another file: its nodes and small constants to look at, all else
 * passed on as it is. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import {
  bytesField,
  fieldsOf,
  floatField,
  readIntegers,
  signedField,
  varintField,
  WIRE,
} from "./protobuf.js";

const MODEL = { graph: 7, opset: 8 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  tensor: 5,
  graph: 6,
  integers: 8,
  graphs: 11,
  type: 20,
} as const;
const ATTRIBUTE_TYPE = { float: 1, integer: 2, integers: 7 } as const;
const TENSOR = { dimensions: 1, type: 2, name: 8, raw: 9, external: 13 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE_INFO = { name: 1, type: 2 } as const;
const TENSOR_TYPE = { inType: 1, element: 1 } as const;
/** `TensorProto.DataType`. */
export const ELEMENT = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;

/** A constant that stands in the graph itself. */
export interface SmallTensor {
  readonly dimensions: readonly number[];
  readonly values: readonly number[];
}

export interface OnnxNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | readonly number[] | SmallTensor>;
  /** True if a graph of its own stands in it, which may use any value of this one. */
  readonly hasSubgraph: boolean;
  readonly bytes: Buffer;
}

export interface OnnxGraph {
  /** The nodes in an order in which they can be run. */
  readonly nodes: readonly OnnxNode[];
  /** Constants by name; undefined if the values are elsewhere or of another kind. */
  readonly constants: ReadonlyMap<string, SmallTensor | undefined>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** @throws RangeError if the bytes are no such model */
export function readGraph(model: Buffer): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, SmallTensor | undefined>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  for (const graph of contents(model, MODEL.graph)) {
    for (const { number, content } of fieldsOf(graph)) {
      if (number === GRAPH.node) nodes.push(readNode(content));
      if (number === GRAPH.initializer) {
        constants.set(textOf(content, TENSOR.name), readTensor(content));
      }
      if (number === GRAPH.input) inputs.push(textOf(content, VALUE_INFO.name));
      if (number === GRAPH.output) outputs.push(textOf(content, VALUE_INFO.name));
    }
  }
  return { nodes, constants, inputs, outputs };
}

/** A constant whose elements lie in another file. */
export interface StoredTensor {
  readonly dimensions: readonly number[];
  /** One of `ELEMENT`, or another of `TensorProto.DataType`. */
  readonly element: number | undefined;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The constants of a model that lie in its file of weights, by name. */
export function readStoredTensors(model: Buffer): ReadonlyMap<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  for (const graph of contents(model, MODEL.graph)) {
    for (const tensor of contents(graph, GRAPH.initializer)) {
      const entries = new Map(
        contents(tensor, TENSOR.external).map((entry) => [
          textOf(entry, ENTRY.key),
          textOf(entry, ENTRY.value),
        ]),
      );
      const length = entries.get("length");
      if (length === undefined) continue;
      const fields = [...fieldsOf(tensor)];
      const numbers = (wanted: number): number[] =>
        fields
          .filter(({ number }) => number === wanted)
          .flatMap(({ content }) => readIntegers(content));
      found.set(textOf(tensor, TENSOR.name), {
        dimensions: numbers(TENSOR.dimensions),
        element: numbers(TENSOR.type)[0],
        offsetBytes: Number(entries.get("offset") ?? 0),
        lengthBytes: Number(length),
      });
    }
  }
  return found;
}

/** The changes to a graph. */
export interface GraphChanges {
  /** The nodes that stand in for the graph's. */
  readonly nodes: readonly OnnxNode[];
  /** Names of values (float32) that become outputs beside the graph's own. */
  readonly moreOutputs?: readonly string[];
  /** Constants that nodes may ask for and the graph lacks. */
  readonly moreConstants?: readonly NewConstant[] | undefined;
  /** Versions of operator domains by name, for those that the model does not import yet. */
  readonly moreDomains?: Readonly<Record<string, number>> | undefined;
}

export interface NewConstant {
  readonly name: string;
  /** A `TensorProto`. */
  readonly bytes: Buffer;
}

/** @returns `model` with other nodes, and without the constants that none of them needs */
export function changeGraph(
  model: Buffer,
  { nodes, moreOutputs = [], moreConstants = [], moreDomains = {} }: GraphChanges,
): Buffer {
  const needed = new Set(nodes.flatMap(({ inputs }) => inputs));
  // A graph within a node uses constants that are not among the node's inputs.
  const keepsAll = nodes.some(({ hasSubgraph }) => hasSubgraph);
  const parts: Buffer[] = [];
  for (const field of fieldsOf(model)) {
    if (field.number !== MODEL.graph || field.wire !== WIRE.bytes) {
      parts.push(field.whole);
      continue;
    }
    const graph = nodes.map(({ bytes }) => bytesField(GRAPH.node, bytes));
    for (const { number, content, whole } of fieldsOf(field.content)) {
      if (number === GRAPH.node) continue;
      if (number === GRAPH.initializer && !keepsAll && !needed.has(textOf(content, TENSOR.name))) {
        continue;
      }
      graph.push(whole);
    }
    for (const { name, bytes } of moreConstants) {
      if (needed.has(name)) graph.push(bytesField(GRAPH.initializer, bytes));
    }
    for (const name of moreOutputs) graph.push(bytesField(GRAPH.output, floatValue(name)));
    parts.push(bytesField(MODEL.graph, Buffer.concat(graph)));
  }
  const imported = new Set(
    contents(model, MODEL.opset).map((opset) => textOf(opset, OPSET.domain)),
  );
  for (const [domain, version] of Object.entries(moreDomains)) {
    if (imported.has(domain)) continue;
    const opset = [bytesField(OPSET.domain, domain), varintField(OPSET.version, version)];
    parts.push(bytesField(MODEL.opset, Buffer.concat(opset)));
  }
  return Buffer.concat(parts);
}

/** The version of ONNX's own operators that the model is written in; 1 if it names none. */
export function opsetOf(model: Buffer): number {
  const own = contents(model, MODEL.opset).find((opset) =>
    ["", "ai.onnx"].includes(textOf(opset, OPSET.domain)),
  );
  const [version] = [...fieldsOf(own ?? Buffer.alloc(0))]
    .filter(({ number }) => number === OPSET.version)
    .flatMap(({ content }) => readIntegers(content));
  return version ?? 1;
}

/** A new node; its attributes are numbers: whole ones of the kind INT or INTS, others FLOAT. */
export function makeNode(node: {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly integers: Readonly<Record<string, number | readonly number[]>>;
  readonly floats: Readonly<Record<string, number>>;
}): OnnxNode {
  const attribute = (name: string, type: number, value: Buffer): Buffer =>
    bytesField(
      NODE.attribute,
      Buffer.concat([bytesField(ATTRIBUTE.name, name), value, varintField(ATTRIBUTE.type, type)]),
    );
  const bytes = Buffer.concat([
    ...node.inputs.map((input) => bytesField(NODE.input, input)),
    bytesField(NODE.output, node.output),
    bytesField(NODE.name, node.name),
    bytesField(NODE.operator, node.operator),
    ...Object.entries(node.integers).map(([name, value]) =>
      typeof value === "number"
        ? attribute(name, ATTRIBUTE_TYPE.integer, signedField(ATTRIBUTE.integer, value))
        : attribute(
            name,
            ATTRIBUTE_TYPE.integers,
            Buffer.concat(value.map((one) => signedField(ATTRIBUTE.integers, one))),
          ),
    ),
    ...Object.entries(node.floats).map(([name, value]) =>
      attribute(name, ATTRIBUTE_TYPE.float, floatField(ATTRIBUTE.float, value)),
    ),
    bytesField(NODE.domain, node.domain),
  ]);
  return readNode(bytes);
}

/** The node that makes each value. */
export function producersOf({ nodes }: Pick<OnnxGraph, "nodes">): ReadonlyMap<string, OnnxNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** A copy of an operator that works on other values. @param suffix of the node's name, which is its own */
export function withNames(
  node: OnnxNode,
  inputs: readonly string[],
  outputs: readonly string[],
  suffix: string,
): OnnxNode {
  const parts = [
    ...inputs.map((input) => bytesField(NODE.input, input)),
    ...outputs.map((output) => bytesField(NODE.output, output)),
  ];
  for (const { number, content, whole } of fieldsOf(node.bytes)) {
    if (number === NODE.input || number === NODE.output) continue;
    parts.push(
      number === NODE.name ? bytesField(NODE.name, content.toString("utf8") + suffix) : whole,
    );
  }
  return readNode(Buffer.concat(parts));
}

function readNode(bytes: Buffer): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, number | readonly number[] | SmallTensor>();
  let operator = "";
  let domain = "";
  let hasSubgraph = false;
  for (const { number, content } of fieldsOf(bytes)) {
    if (number === NODE.input) inputs.push(content.toString("utf8"));
    if (number === NODE.output) outputs.push(content.toString("utf8"));
    if (number === NODE.operator) operator = content.toString("utf8");
    if (number === NODE.domain) domain = content.toString("utf8");
    if (number !== NODE.attribute) continue;
    const attribute = readAttribute(content);
    hasSubgraph ||= attribute.isGraph;
    if (attribute.value !== undefined) attributes.set(attribute.name, attribute.value);
  }
  return { operator, domain, inputs, outputs, attributes, hasSubgraph, bytes };
}

function readAttribute(bytes: Buffer): {
  name: string;
  value: number | readonly number[] | SmallTensor | undefined;
  isGraph: boolean;
} {
  let name = "";
  let value: number | SmallTensor | undefined;
  const integers: number[] = [];
  let isGraph = false;
  for (const { number, content } of fieldsOf(bytes)) {
    if (number === ATTRIBUTE.name) name = content.toString("utf8");
    if (number === ATTRIBUTE.float) value = content.readFloatLE();
    if (number === ATTRIBUTE.integer) [value] = readIntegers(content);
    if (number === ATTRIBUTE.integers) integers.push(...readIntegers(content));
    if (number === ATTRIBUTE.tensor) value = readTensor(content);
    isGraph ||= number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs;
  }
  return { name, value: value ?? (integers.length > 0 ? integers : undefined), isGraph };
}

/** @returns undefined if the values are not in the tensor as raw bytes, or no numbers of ours */
function readTensor(bytes: Buffer): SmallTensor | undefined {
  const dimensions: number[] = [];
  let type: number | undefined;
  let raw: Buffer | undefined;
  for (const { number, content } of fieldsOf(bytes)) {
    if (number === TENSOR.dimensions) dimensions.push(...readIntegers(content));
    if (number === TENSOR.type) [type] = readIntegers(content);
    if (number === TENSOR.raw) raw = content;
  }
  if (raw === undefined) return undefined;
  const values = numbersOf(raw, type);
  return values === undefined ? undefined : { dimensions, values };
}

function numbersOf(raw: Buffer, type: number | undefined): number[] | undefined {
  const every = (size: number, read: (at: number) => number): number[] =>
    Array.from({ length: raw.length / size }, (_, i) => read(i * size));
  if (type === ELEMENT.float) return every(4, (at) => raw.readFloatLE(at));
  if (type === ELEMENT.int32) return every(4, (at) => raw.readInt32LE(at));
  if (type === ELEMENT.int64) return every(8, (at) => Number(raw.readBigInt64LE(at)));
  if (type === ELEMENT.bool) return every(1, (at) => raw.readUInt8(at));
  return undefined;
}

/** Whole numbers of one dimension. */
export function integersConstant(name: string, values: readonly number[]): NewConstant {
  const raw = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => raw.writeBigInt64LE(BigInt(value), i * 8));
  return newConstant(name, ELEMENT.int64, [values.length], raw);
}

/** One float32 without dimensions. */
export function floatConstant(name: string, value: number): NewConstant {
  const raw = Buffer.alloc(4);
  raw.writeFloatLE(value);
  return newConstant(name, ELEMENT.float, [], raw);
}

/** One unsigned byte without dimensions. */
export function byteConstant(name: string, value: number): NewConstant {
  return newConstant(name, ELEMENT.uint8, [], Buffer.of(value));
}

/** @param raw the elements, little-endian */
export function newConstant(
  name: string,
  element: number,
  dimensions: readonly number[],
  raw: Buffer,
): NewConstant {
  const bytes = Buffer.concat([
    ...dimensions.map((size) => varintField(TENSOR.dimensions, size)),
    varintField(TENSOR.type, element),
    bytesField(TENSOR.name, name),
    bytesField(TENSOR.raw, raw),
  ]);
  return { name, bytes };
}

function floatValue(name: string): Buffer {
  const tensor = bytesField(TENSOR_TYPE.inType, varintField(TENSOR_TYPE.element, ELEMENT.float));
  return Buffer.concat([bytesField(VALUE_INFO.name, name), bytesField(VALUE_INFO.type, tensor)]);
}

function contents(message: Buffer, wanted: number): Buffer[] {
  return [...fieldsOf(message)]
    .filter(({ number, wire }) => number === wanted && wire === WIRE.bytes)
    .map(({ content }) => content);
}

function textOf(message: Buffer, number: number): string {
  return contents(message, number).at(-1)?.toString("utf8") ?? "";
}
