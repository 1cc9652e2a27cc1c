import { makeChoice } from "./first-token.js";
import {
  integersConstant,
  producersOf,
  withNames,
  type NewConstant,
  type OnnxGraph,
  type OnnxNode,
} from "./onnx-graph.js";

/** The dimension of tokens: the second of (rows, tokens, …), the third of (rows, heads, tokens, …). */
export type TokenAxis = 1 | 2;

/** An input that is made of the first token: its place among a node's inputs, and its dimension of tokens. */
interface NarrowInput {
  readonly place: number;
  readonly axis: TokenAxis;
}

/**
 * Makes values of the first token, in ONNX's own operators, out of what a graph computes of all tokens. If an
 * operator is not known, the first token is chosen from what it gives.
 */
export class FirstTokenNodes {
  /** In an order in which they can be run, after the graph's own. Some may lead nowhere. */
  readonly nodes: OnnxNode[] = [];
  /** Constants that the nodes ask for and the graph lacks. */
  readonly constants: NewConstant[] = [];
  readonly #graphConstants: OnnxGraph["constants"];
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #whole: ReadonlySet<string>;
  readonly #made = new Set<string>();
  readonly #ofData = new Map<string, boolean>();

  /** @param whole values that are needed of all tokens anyway */
  constructor(graph: OnnxGraph, whole: ReadonlySet<string>) {
    this.#graphConstants = graph.constants;
    this.#whole = whole;
    this.#producers = producersOf(graph);
    for (const input of graph.inputs) this.#ofData.set(input, true);
  }

  /** @returns the name of `value` of the first token */
  of(value: string, axis: TokenAxis): string {
    const name = nameOf(value, axis);
    if (this.#made.has(name)) return name;
    this.#made.add(name);
    const node = this.#whole.has(value) ? undefined : this.#producers.get(value);
    const copy = node === undefined ? undefined : this.#copy(node, axis);
    this.nodes.push(copy ?? makeChoice(value, name, axis));
    return name;
  }

  /** @returns undefined if it is not known how the operator treats tokens */
  #copy(node: OnnxNode, axis: TokenAxis): OnnxNode | undefined {
    if (node.outputs.length !== 1) return undefined;
    const narrow = this.#inputsOfToken(node, axis);
    if (narrow === undefined) return undefined;
    const inputs = [...node.inputs];
    for (const { place, axis: inputAxis } of narrow) {
      inputs[place] = this.of(node.inputs[place] ?? "", inputAxis);
    }
    if (node.operator === "Reshape") {
      const shape = this.#shapeOf(node);
      if (shape === undefined) return undefined;
      inputs[1] = shape;
    }
    return withNames(node, inputs, [nameOf(node.outputs[0] ?? "", axis)], "/first");
  }

  #inputsOfToken(node: OnnxNode, axis: TokenAxis): readonly NarrowInput[] | undefined {
    const { operator, inputs, attributes } = node;
    const first = [{ place: 0, axis }];
    if (BY_ELEMENT.has(operator)) {
      return inputs.flatMap((input, place) => (this.#isOfData(input) ? [{ place, axis }] : []));
    }
    switch (operator) {
      case "LayerNormalization":
        return attributes.get("axis") === -1 ? first : undefined;
      case "ReduceMean":
        return isList(attributes.get("axes"), [-1]) && attributes.get("keepdims") !== 0
          ? first
          : undefined;
      case "Softmax":
        return axis === 2 && [-1, 3].includes(Number(attributes.get("axis"))) ? first : undefined;
      case "MatMul":
        // With another's tokens only where the rows of the first factor are tokens.
        return axis === 2 || this.#graphConstants.has(inputs[1] ?? "") ? first : undefined;
      case "Transpose":
        return isList(attributes.get("perm"), [0, 2, 1, 3])
          ? [{ place: 0, axis: axis === 1 ? 2 : 1 }]
          : undefined;
      case "Reshape":
        return axis === 1 && (attributes.get("allowzero") ?? 0) === 0 ? first : undefined;
      default:
        return undefined;
    }
  }

  /** A shape whose rows and tokens are those of what is reshaped, in place of all tokens of the pair. */
  #shapeOf({ inputs, outputs }: OnnxNode): string | undefined {
    const given = inputs[1] ?? "";
    const constant = this.#graphConstants.get(given)?.values;
    const joined = this.#producers.get(given);
    const parts = joined?.operator === "Concat" ? joined.inputs : undefined;
    const sizes = constant ?? parts?.map((part) => this.#graphConstants.get(part)?.values[0]);
    const rest = sizes?.slice(2) ?? [];
    if (rest.length === 0 || !rest.every((size) => size !== undefined)) return undefined;
    const name = `${outputs[0] ?? ""}/first-shape`;
    this.constants.push(integersConstant(name, [0, 0, ...rest]));
    return name;
  }

  /** False for constants, and for what is computed from the sizes of values alone. */
  #isOfData(value: string): boolean {
    const known = this.#ofData.get(value);
    if (known !== undefined) return known;
    const node = this.#graphConstants.has(value) ? undefined : this.#producers.get(value);
    const found =
      node !== undefined &&
      node.operator !== "Shape" &&
      node.inputs.some((input) => this.#isOfData(input));
    this.#ofData.set(value, found);
    return found;
  }
}

/**
 * Operators that work number by number. Constants beside have no tokens, for their number is not known.
 */
const BY_ELEMENT: ReadonlySet<string> = new Set([
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Pow",
  "Sqrt",
  "Erf",
  "Tanh",
  "Gelu",
  "Relu",
  "Sigmoid",
]);

function nameOf(value: string, axis: TokenAxis): string {
  return `${value}/first${axis}`;
}

function isList(value: unknown, wanted: readonly number[]): boolean {
  return Array.isArray(value) && value.join() === wanted.join();
}
