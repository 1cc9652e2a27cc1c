import { makeNode, producersOf, withNames, type OnnxGraph, type OnnxNode } from "./onnx-graph.js";

/** A graph whose last layer works on the first token alone. */
export interface FirstTokenGraph {
  readonly nodes: readonly OnnxNode[];
  /** The original's nodes and the new ones beside, to compare `original` and `first` of both. */
  readonly comparison: readonly OnnxNode[];
  readonly original: string;
  readonly first: string;
}

/** A constant of the shape [1] that is 0, for the graph to have: places of the first token. */
export const FIRST_PLACE = "rankmill/first";

/**
 * A cross-encoder reads only the first token of its last layer: what the layer computes of the others,
 * but for keys and values, goes to waste. This moves the choice of the first token from the end to
 * before the layer's query.
 *
 * @param graph with attention in `MultiHeadAttention` nodes
 * @returns undefined if the graph ends otherwise, or has something between that looks at several
 *   tokens
 */
export function keepFirstToken(graph: OnnxGraph): FirstTokenGraph | undefined {
  const { nodes } = graph;
  const choice = firstTokenChoice(graph);
  const [hidden = "", place = ""] = choice?.inputs ?? [];
  const attention = nodes.findLast(({ operator }) => operator === "MultiHeadAttention");
  if (choice === undefined || attention === undefined) return undefined;
  const narrow = new Narrowing(graph, attention);
  const first = narrow.of(hidden);
  if (first === undefined) return undefined;
  const [original = ""] = choice.outputs;
  const beside = `${original}${SUFFIX}`;
  const at = nodes.indexOf(choice);
  const [before, after] = [nodes.slice(0, at), nodes.slice(at + 1)];
  const chosen = withNames(choice, [first, place], [original], SUFFIX);
  return {
    nodes: [...before, ...narrow.made, chosen, ...after],
    comparison: [
      ...before,
      ...narrow.made,
      choice,
      withNames(choice, [first, place], [beside], SUFFIX),
      ...after,
    ],
    original,
    first: beside,
  };
}

/** The one node of a graph that chooses the first token, if nothing else reads what it chooses from. */
export function firstTokenChoice({ nodes, constants }: OnnxGraph): OnnxNode | undefined {
  const choices = nodes.filter(
    ({ operator, attributes, inputs }) =>
      operator === "Gather" &&
      attributes.get("axis") === 1 &&
      constants.get(inputs[1] ?? "")?.values.join() === "0" &&
      constants.get(inputs[1] ?? "")?.dimensions.length === 0,
  );
  const [choice] = choices;
  const hidden = choice?.inputs[0] ?? "";
  if (choices.length !== 1) return undefined;
  return nodes.filter(({ inputs }) => inputs.includes(hidden)).length === 1 ? choice : undefined;
}

const SUFFIX = "/first";

/** Makes values of the first token out of values of all tokens, (rows, tokens, …) to (rows, 1, …). */
class Narrowing {
  /** The nodes in an order in which they can be run, after the graph's own. */
  readonly made: OnnxNode[] = [];
  readonly #constants: OnnxGraph["constants"];
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #attention: OnnxNode;
  /** The value that keys and values are made of: needed for all tokens anyway. */
  readonly #whole: ReadonlySet<string>;
  readonly #narrowed = new Map<string, string>();

  constructor(graph: OnnxGraph, attention: OnnxNode) {
    this.#constants = graph.constants;
    this.#attention = attention;
    this.#producers = producersOf(graph);
    this.#whole = this.#ancestors(attention.inputs.slice(1));
  }

  /** @returns undefined if something on the way looks at several tokens */
  of(value: string): string | undefined {
    const known = this.#narrowed.get(value);
    if (known !== undefined) return known;
    const node = this.#whole.has(value) ? this.#chooseFirst(value) : this.#copy(value);
    if (node === undefined) return undefined;
    this.made.push(node);
    return this.#narrowed.get(value);
  }

  #chooseFirst(value: string): OnnxNode | undefined {
    const node = this.#producers.get(value);
    if (node === undefined) return undefined;
    this.#narrowed.set(value, value + SUFFIX);
    return makeChoice(value, value + SUFFIX);
  }

  #copy(value: string): OnnxNode | undefined {
    const node = this.#producers.get(value);
    if (node === undefined) return undefined;
    const inputs: string[] = [];
    for (const [place, input] of node.inputs.entries()) {
      const narrowed = this.#keeps(node, place) ? input : this.of(input);
      if (narrowed === undefined) return undefined;
      inputs.push(narrowed);
    }
    if (node !== this.#attention && !this.#isByToken(node)) return undefined;
    const outputs = node.outputs.map((output) => output + SUFFIX);
    for (const output of node.outputs) this.#narrowed.set(output, output + SUFFIX);
    return withNames(node, inputs, outputs, SUFFIX);
  }

  /** Values that have no tokens to choose from, or that are read whole. */
  #keeps(node: OnnxNode, place: number): boolean {
    const input = node.inputs[place] ?? "";
    if (input === "" || this.#constants.has(input)) return true;
    // Keys and values: the first token attends to all.
    if (node === this.#attention) return place > 0;
    // Scale and zero of a tensor that is quantised whole: those of each of its tokens.
    const maker = this.#producers.get(input);
    return (
      maker?.operator === "DynamicQuantizeLinear" &&
      this.#whole.has(input) &&
      maker.outputs[0] !== input
    );
  }

  /** Whether each token's output depends on that token's input alone, and on constants. */
  #isByToken({ operator, inputs, attributes }: OnnxNode): boolean {
    if (operator === "LayerNormalization") return attributes.get("axis") === -1;
    if (operator === "ReduceMax") return this.#isOverLastAxis(inputs, attributes);
    if (operator === "QuantizeLinear") {
      return this.#constants.get(inputs[1] ?? "")?.dimensions.length === 0;
    }
    const weights = WEIGHTS_PLACE[operator];
    if (weights !== undefined) return this.#constants.has(inputs[weights] ?? "");
    return BY_TOKEN.has(operator);
  }

  #isOverLastAxis(inputs: readonly string[], attributes: OnnxNode["attributes"]): boolean {
    const axes = attributes.get("axes") ?? this.#constants.get(inputs[1] ?? "")?.values;
    return isList(axes, [-1]) && attributes.get("keepdims") !== 0;
  }

  #ancestors(values: readonly string[]): ReadonlySet<string> {
    const found = new Set<string>();
    const open = [...values];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (found.has(value)) continue;
      found.add(value);
      open.push(...(this.#producers.get(value)?.inputs ?? []));
    }
    return found;
  }
}

/** Products with a matrix, and which of their inputs it is. */
const WEIGHTS_PLACE: Readonly<Record<string, number>> = {
  MatMul: 1,
  MatMulIntegerToFloat: 1,
  DynamicQuantizeMatMul: 1,
  MatMulNBits: 1,
};

/**
 * Element by element. A constant beside has no tokens, for their number is not known.
 * `DynamicQuantizeLinear` takes its scale from all that it is given: of one token it is the finer.
 */
const BY_TOKEN: ReadonlySet<string> = new Set([
  "Abs",
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Cast",
  "Erf",
  "Tanh",
  "Gelu",
  "BiasGelu",
  "FastGelu",
  "DynamicQuantizeLinear",
]);

function isList(value: unknown, wanted: readonly number[]): boolean {
  return Array.isArray(value) && value.join() === wanted.join();
}

/** A node that chooses the first token of a value. @param axis the dimension of tokens */
export function makeChoice(value: string, output: string, axis = 1): OnnxNode {
  return makeNode({
    name: `${output}/choice`,
    operator: "Gather",
    domain: "",
    inputs: [value, FIRST_PLACE],
    output,
    integers: { axis },
    floats: {},
  });
}
