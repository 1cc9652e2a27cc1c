import type {
  AttributeValue,
  GraphNode,
  GraphValue,
  OnnxModel,
  TensorConstant,
} from "./onnx-encoder.js";
import { DATA_TYPE } from "./onnx-encoder.js";

/**
 * Collects nodes and constants in the order in which they are asked for. A value is known by its
 * name; each method returns the name of what it made. Equal constants are kept once.
 */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];
  readonly #constants = new Map<string, TensorConstant>();
  readonly #names = new Set<string>();

  /** Adds one operator with one output. `label` says what the value means, and names it. */
  op(
    label: string,
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const output = this.#unique(label);
    this.#nodes.push({ opType, inputs, outputs: [output], attributes });
    return output;
  }

  /** A float32 scalar. */
  float(value: number): string {
    return this.#constant(`float_${value}`, { type: "float", dims: [], data: [value] });
  }

  /** An int64 scalar. */
  integer(value: number | bigint): string {
    return this.#constant(`int_${value}`, { type: "int64", dims: [], data: [BigInt(value)] });
  }

  /** A one-dimensional int64 tensor, such as the axes of a Slice. */
  integers(...values: readonly number[]): string {
    return this.#constant(`ints_${values.join("_")}`, {
      type: "int64",
      dims: [values.length],
      data: values.map(BigInt),
    });
  }

  floatTable(label: string, data: readonly number[]): string {
    return this.#constant(label, { type: "float", dims: [data.length], data });
  }

  integerTable(label: string, data: readonly bigint[]): string {
    return this.#constant(label, { type: "int64", dims: [data.length], data });
  }

  toInteger(label: string, value: string): string {
    return this.op(label, "Cast", [value], { to: DATA_TYPE.int64 });
  }

  toFloat(label: string, value: string): string {
    return this.op(label, "Cast", [value], { to: DATA_TYPE.float });
  }

  /** Gives the last node's value the name of a graph output. */
  output(value: string, name: string): void {
    this.#names.add(name);
    this.#nodes.push({ opType: "Identity", inputs: [value], outputs: [name], attributes: {} });
  }

  build(model: Omit<OnnxModel, "nodes" | "constants">): OnnxModel {
    return { ...model, nodes: this.#nodes, constants: this.#constants };
  }

  /** A graph input is a name that nothing else may take. */
  input(value: GraphValue): string {
    this.#names.add(value.name);
    return value.name;
  }

  #constant(name: string, tensor: TensorConstant): string {
    if (!this.#constants.has(name)) this.#constants.set(name, tensor);
    return name;
  }

  #unique(label: string): string {
    let name = label;
    for (let suffix = 2; this.#names.has(name); suffix += 1) name = `${label}_${suffix}`;
    this.#names.add(name);
    return name;
  }
}
