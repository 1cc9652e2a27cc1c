/**
 * The outline of an ONNX file, read without the runtime: inputs, outputs, operators, and where
 * its weights lie. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { findDynamicProducts, type GraphNode } from "./dynamic-products.js";
import { MalformedProtobufError, ProtobufReader } from "./protobuf-reader.js";
import type { Field } from "./protobuf-reader.js";

const MODEL = { graph: 7 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11 } as const;
const TENSOR = { dimension: 1, name: 8, externalData: 13 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE_INFO = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1 } as const;

/** Computes the scale of its input at each run: batch-mates and padding then change a score. */
const DYNAMIC_QUANTISATION: ReadonlySet<string> = new Set([
  "DynamicQuantizeLinear",
  "DynamicQuantizeMatMul",
  "DynamicQuantizeLSTM",
  // Their kernels may round activations, and choose by the number of rows: not known to keep bits.
  "MatMulNBits",
  "MatMulBnb4",
]);

const SIGMOID = "Sigmoid";

export interface OnnxValue {
  readonly name: string;
  /** One entry per dimension, null if it is dynamic; undefined if the file gives no shape. */
  readonly shape: readonly (number | null)[] | undefined;
}

export interface OnnxOutline {
  /** The inputs without initializers, which old files list among the inputs. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Bytes that each file of external data must have, by its location as the graph spells it. */
  readonly externalData: ReadonlyMap<string, number>;
  /** True if int8 scores depend on what else is in the batch. */
  readonly dynamicallyQuantised: boolean;
  /** True if its int8 products can be given a scale per row of activations; see {@link findDynamicProducts}. */
  readonly takesRowScales: boolean;
  /** Names of the outputs that come straight from a Sigmoid: scores already, no logits. */
  readonly activatedOutputs: ReadonlySet<string>;
  /** Rows of the table that `input_ids` chooses from: a token id must be below. Undefined if the graph has none. */
  readonly vocabularyRows: number | undefined;
}

/**
 * @param path an ONNX file of any size; reads it synchronously, a few megabytes at most
 * @throws MalformedProtobufError if the file is no ONNX file or ends too early
 */
export function readOnnxOutline(path: string): OnnxOutline {
  const fd = openSync(path, "r");
  try {
    const size = fstatSync(fd).size;
    return new OutlineBuilder(new ProtobufReader(fd, size)).build(size);
  } finally {
    closeSync(fd);
  }
}

class OutlineBuilder {
  readonly #reader: ProtobufReader;
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  /** The first dimension of each, undefined if the file does not give it plainly. */
  readonly #initializers = new Map<string, number | undefined>();
  readonly #externalData = new Map<string, number>();
  /** Names of the values that Sigmoid nodes give. */
  readonly #sigmoids = new Set<string>();
  /** Name of the table that `input_ids` chooses from. */
  #vocabulary: string | undefined;
  /** The outermost graph's. */
  readonly #nodes: GraphNode[] = [];
  #dynamicallyQuantised = false;
  /** True if a graph within a node quantises as it runs. */
  #quantisesInside = false;
  #graphs = 0;

  constructor(reader: ProtobufReader) {
    this.#reader = reader;
  }

  build(size: number): OnnxOutline {
    this.#reader.walk(size, (field) => {
      if (field.number === MODEL.graph && field.nested) this.#graph(field, true);
    });
    if (this.#graphs === 0) throw new MalformedProtobufError("it holds no graph");
    return {
      inputs: this.#inputs.filter((input) => !this.#initializers.has(input.name)),
      outputs: this.#outputs,
      externalData: this.#externalData,
      dynamicallyQuantised: this.#dynamicallyQuantised,
      takesRowScales: this.#takesRowScales(),
      activatedOutputs: new Set(
        this.#outputs.map(({ name }) => name).filter((name) => this.#sigmoids.has(name)),
      ),
      vocabularyRows:
        this.#vocabulary === undefined ? undefined : this.#initializers.get(this.#vocabulary),
    };
  }

  #takesRowScales(): boolean {
    if (!this.#dynamicallyQuantised || this.#quantisesInside) return false;
    const outputs = this.#outputs.map(({ name }) => name);
    const graph = { nodes: this.#nodes, constants: this.#initializers, outputs };
    return findDynamicProducts(graph) !== undefined;
  }

  #graph(graph: Field, outermost: boolean): void {
    this.#graphs += 1;
    this.#reader.walk(graph.end, (field) => {
      if (!field.nested) return;
      if (field.number === GRAPH.node) this.#node(field, outermost);
      else if (field.number === GRAPH.initializer) this.#tensor(field);
      else if (field.number === GRAPH.input && outermost) this.#inputs.push(this.#value(field));
      else if (field.number === GRAPH.output && outermost) this.#outputs.push(this.#value(field));
    });
  }

  #node(node: Field, outermost: boolean): void {
    const inputs: string[] = [];
    const outputs: string[] = [];
    let operator = "";
    this.#reader.walk(node.end, (field) => {
      if (!field.nested) return;
      if (field.number === NODE.input) inputs.push(this.#reader.text(field.end));
      else if (field.number === NODE.output) outputs.push(this.#reader.text(field.end));
      else if (field.number === NODE.operator) operator = this.#reader.text(field.end);
      else if (field.number === NODE.attribute) {
        this.#attribute(field);
      }
    });
    if (operator === "Gather" && inputs[1] === "input_ids") this.#vocabulary = inputs[0];
    if (outermost) this.#nodes.push({ operator, inputs, outputs });
    if (DYNAMIC_QUANTISATION.has(operator)) {
      this.#dynamicallyQuantised = true;
      this.#quantisesInside ||= !outermost;
    }
    if (operator === SIGMOID) for (const output of outputs) this.#sigmoids.add(output);
  }

  #attribute(attribute: Field): void {
    this.#reader.walk(attribute.end, (field) => {
      if (!field.nested) return;
      if (field.number === ATTRIBUTE.tensor || field.number === ATTRIBUTE.tensors) {
        this.#tensor(field);
      } else if (field.number === ATTRIBUTE.graph || field.number === ATTRIBUTE.graphs) {
        this.#graph(field, false);
      }
    });
  }

  #tensor(tensor: Field): void {
    const external = new Map<string, string>();
    let name: string | undefined;
    let rows: number | undefined;
    this.#reader.walk(tensor.end, (field) => {
      if (!field.nested) {
        if (field.number === TENSOR.dimension) rows ??= field.value;
      } else if (field.number === TENSOR.name) name = this.#reader.text(field.end);
      else if (field.number === TENSOR.externalData) this.#entry(field, external);
    });
    if (name !== undefined) this.#initializers.set(name, rows);
    const location = external.get("location");
    if (location === undefined) return;
    const needed = Number(external.get("offset") ?? 0) + Number(external.get("length") ?? 0);
    this.#externalData.set(location, Math.max(needed, this.#externalData.get(location) ?? 0));
  }

  #entry(entry: Field, into: Map<string, string>): void {
    let key = "";
    let value = "";
    this.#reader.walk(entry.end, (field) => {
      if (!field.nested) return;
      if (field.number === ENTRY.key) key = this.#reader.text(field.end);
      else if (field.number === ENTRY.value) value = this.#reader.text(field.end);
    });
    into.set(key, value);
  }

  #value(info: Field): OnnxValue {
    let name = "";
    let shape: (number | null)[] | undefined;
    this.#reader.walk(info.end, (field) => {
      if (field.number === VALUE_INFO.name && field.nested) name = this.#reader.text(field.end);
      else if (field.number === VALUE_INFO.type && field.nested) shape = this.#shape(field);
    });
    return { name, shape };
  }

  #shape(type: Field): (number | null)[] | undefined {
    let shape: (number | null)[] | undefined;
    this.#reader.walk(type.end, (tensorType) => {
      if (tensorType.number !== TYPE.tensor || !tensorType.nested) return;
      this.#reader.walk(tensorType.end, (field) => {
        if (field.number !== TENSOR_TYPE.shape || !field.nested) return;
        const dimensions: (number | null)[] = [];
        this.#reader.walk(field.end, (dimension) => {
          if (dimension.number === SHAPE.dimension && dimension.nested) {
            dimensions.push(this.#dimension(dimension));
          }
        });
        shape = dimensions;
      });
    });
    return shape;
  }

  #dimension(dimension: Field): number | null {
    let size: number | null = null;
    this.#reader.walk(dimension.end, (field) => {
      // 0 and absurdly large (a negative number) are exporters' ways to say "dynamic".
      if (field.number === DIMENSION.value && !field.nested) {
        size = field.value > 0 && field.value < 2 ** 31 ? field.value : null;
      }
    });
    return size;
  }
}
