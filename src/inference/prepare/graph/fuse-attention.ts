import {
  changeGraph,
  integersConstant,
  makeNode,
  readGraph,
  type OnnxGraph,
  type OnnxNode,
} from "./onnx-graph.js";
import { FIRST_PLACE, keepFirstToken } from "./first-token.js";
import { UniformValues } from "./uniform-values.js";
import { withoutUnused } from "./unused-nodes.js";

/** A graph whose attention was made one node per layer, and what shows that it is the same attention. */
export interface FusedAttention {
  /**
   * The graph for rows of one length, without padding: nothing in it looks at the attention mask any more. Its
   * inputs and outputs are the original's.
   */
  readonly model: Buffer;
  /** The original graph, with the fused nodes beside: gives both values of each layer. */
  readonly comparison: Buffer;
  /** The outputs of `comparison` that must be alike, per layer. */
  readonly layers: readonly { readonly original: string; readonly fused: string }[];
  /** `model` once more, its last layer for the first token alone; see {@link keepFirstToken}. */
  readonly firstToken: FirstTokenModel | undefined;
}

export interface FirstTokenModel {
  readonly model: Buffer;
  /** `model` of all tokens, with the first token's nodes beside. */
  readonly comparison: Buffer;
  /** The outputs of `comparison` that must be alike. */
  readonly original: string;
  readonly first: string;
  /** True if activations are rounded to steps: a difference in the last bit may be one of a step. */
  readonly quantised: boolean;
}

const OPERATORS_DOMAIN = "com.microsoft";
const MASK_INPUT = "attention_mask";

/**
 * Turns the attention of an encoder, as ONNX Runtime's optimiser leaves it, into its
 * `MultiHeadAttention`. Without a mask that computes softmax(QKᵀ)V in blocks that stay in a core's
 * cache: no tensor of heads × tokens × tokens is ever made, and long pairs are faster by a tenth and
 * need memory by their length instead of its square.
 *
 * A mask changes nothing for a row that is not padded. The graph itself must prove that its mask is
 * 0 throughout if `attention_mask` is 1 throughout, whatever the length, or nothing is done: the
 * bounds of a local attention, or a bias by position, stay.
 *
 * @param model an optimised graph, its weights in another file
 * @returns undefined if any of its attention is of another kind
 * @throws RangeError if the bytes are no model
 */
export function fuseAttention(model: Buffer): FusedAttention | undefined {
  const graph = readGraph(model);
  if (!graph.inputs.includes(MASK_INPUT)) return undefined;
  if (graph.nodes.some(({ hasSubgraph }) => hasSubgraph)) return undefined;
  const lookup = new Lookup(graph);
  const softmaxes = graph.nodes.filter(({ operator }) => operator === "Softmax");
  const layers = softmaxes.map((softmax) => matchLayer(softmax, lookup));
  if (layers.length === 0 || !layers.every((layer) => layer !== undefined)) return undefined;
  const fusedGraph = { ...graph, nodes: withoutUnused(graph, replaceLayers(graph.nodes, layers)) };
  return {
    model: changeGraph(model, fusedGraph),
    firstToken: firstTokenModel(model, fusedGraph),
    comparison: changeGraph(model, {
      nodes: [...graph.nodes, ...layers.map((layer) => attentionNode(layer, fusedName(layer)))],
      moreOutputs: layers.flatMap((layer) => [layer.output, fusedName(layer)]),
    }),
    layers: layers.map((layer) => ({ original: layer.output, fused: fusedName(layer) })),
  };
}

function firstTokenModel(model: Buffer, graph: OnnxGraph): FirstTokenModel | undefined {
  const found = keepFirstToken(graph);
  if (found === undefined) return undefined;
  const { nodes, comparison, original, first } = found;
  const moreConstants = [integersConstant(FIRST_PLACE, [0])];
  return {
    model: changeGraph(model, { nodes: withoutUnused(graph, nodes), moreConstants }),
    comparison: changeGraph(model, {
      nodes: comparison,
      moreConstants,
      moreOutputs: [original, first],
    }),
    original,
    first,
    quantised: nodes.some(({ operator }) =>
      /^DynamicQuantize|^QuantizeLinear$|^MatMulNBits$/.test(operator),
    ),
  };
}

/** One layer's attention: names of values of shape (rows, tokens, heads × head size). */
interface Layer {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly heads: number;
  readonly scale: number;
  /** The node that gives `output`. */
  readonly last: OnnxNode;
}

/** Name of a layer's value where it stands beside the original's. */
function fusedName({ output }: Layer): string {
  return `${output}/fused`;
}

/** Finds what leads to a value, and what a value leads to. */
class Lookup {
  readonly uniform: UniformValues;
  readonly constants: OnnxGraph["constants"];
  readonly #producers = new Map<string, OnnxNode>();
  readonly #consumers = new Map<string, OnnxNode[]>();

  constructor(graph: OnnxGraph) {
    this.constants = graph.constants;
    this.uniform = new UniformValues(graph, { [MASK_INPUT]: 1 });
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of node.inputs) {
        this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
      }
    }
  }

  producer(value: string | undefined, operator: string): OnnxNode | undefined {
    const node = this.#producers.get(value ?? "");
    return node?.operator === operator ? node : undefined;
  }

  /** The one node that uses what `node` gives. */
  consumer(node: OnnxNode | undefined, operator: string): OnnxNode | undefined {
    const consumers = this.#consumers.get(node?.outputs[0] ?? "") ?? [];
    return consumers.length === 1 && consumers[0]?.operator === operator ? consumers[0] : undefined;
  }
}

/**
 * softmax(scale × transpose(Q) transpose(K) + 0) transpose(V), transposed back:
 *
 *     Reshape, Transpose ─┐
 *     Reshape, Transpose ─┴ MatMul ─ Add mask ─ Softmax ─ MatMul ─ Transpose ─ Reshape
 *     Reshape, Transpose ──────────────────────────────────┘
 */
function matchLayer(softmax: OnnxNode, lookup: Lookup): Layer | undefined {
  const axis = softmax.attributes.get("axis");
  if (axis !== -1 && axis !== 3) return undefined;
  const masked = lookup.producer(softmax.inputs[0], "Add");
  const scores = masked?.inputs.find((input) => lookup.uniform.of(input) !== 0);
  if (masked === undefined || !masked.inputs.some((input) => lookup.uniform.of(input) === 0)) {
    return undefined;
  }
  const product = productOf(scores, lookup);
  const query = headsOf(product?.left, lookup, ROWS_OF_HEADS);
  const key = headsOf(
    product?.right,
    lookup,
    product?.rightTransposed === true ? ROWS_OF_HEADS : COLUMNS_OF_HEADS,
  );
  const weighted = lookup.consumer(softmax, "MatMul");
  const value = headsOf(weighted?.inputs[1], lookup, ROWS_OF_HEADS);
  const transposed = lookup.consumer(weighted, "Transpose");
  const last = lookup.consumer(transposed, "Reshape");
  if (product === undefined || query === undefined || key === undefined || value === undefined) {
    return undefined;
  }
  if (weighted?.inputs[0] !== softmax.outputs[0] || last === undefined) return undefined;
  if (!isList(transposed?.attributes.get("perm"), ROWS_OF_HEADS)) return undefined;
  const { heads, size } = query;
  if (![key, value].every((one) => one.heads === heads && one.size === size)) return undefined;
  if (!isList(lookup.constants.get(last.inputs[1] ?? "")?.values, [0, 0, heads * size])) {
    return undefined;
  }
  return {
    query: query.name,
    key: key.name,
    value: value.name,
    output: last.outputs[0] ?? "",
    heads,
    scale: product.scale,
    last,
  };
}

/** (rows, tokens, heads, size) to (rows, heads, tokens, size), and back. */
const ROWS_OF_HEADS = [0, 2, 1, 3];
/** (rows, tokens, heads, size) to (rows, heads, size, tokens). */
const COLUMNS_OF_HEADS = [0, 2, 3, 1];

interface Product {
  readonly left: string | undefined;
  readonly right: string | undefined;
  readonly rightTransposed: boolean;
  readonly scale: number;
}

function productOf(value: string | undefined, lookup: Lookup): Product | undefined {
  const plain = lookup.producer(value, "MatMul");
  const node = plain ?? lookup.producer(value, "FusedMatMul");
  if (node === undefined) return undefined;
  const attribute = (name: string, usual: number): number => {
    const found = node.attributes.get(name);
    return typeof found === "number" ? found : usual;
  };
  if (["transA", "transBatchA", "transBatchB"].some((name) => attribute(name, 0) !== 0)) {
    return undefined;
  }
  return {
    left: node.inputs[0],
    right: node.inputs[1],
    rightTransposed: attribute("transB", 0) !== 0,
    scale: attribute("alpha", 1),
  };
}

/** @returns what is split into heads and transposed to `order` to give `value` */
function headsOf(
  value: string | undefined,
  lookup: Lookup,
  order: readonly number[],
): { name: string; heads: number; size: number } | undefined {
  const transposed = lookup.producer(value, "Transpose");
  if (!isList(transposed?.attributes.get("perm"), order)) return undefined;
  const split = lookup.producer(transposed?.inputs[0], "Reshape");
  const [name, shapeName = ""] = split?.inputs ?? [];
  const shape = lookup.constants.get(shapeName)?.values;
  const [rows, tokens, heads = 0, size = 0] = shape ?? [];
  if (name === undefined || shape?.length !== 4 || rows !== 0 || tokens !== 0) return undefined;
  return heads > 0 && size > 0 ? { name, heads, size } : undefined;
}

function isList(found: unknown, wanted: readonly number[]): boolean {
  return Array.isArray(found) && found.join() === wanted.join();
}

function replaceLayers(nodes: readonly OnnxNode[], layers: readonly Layer[]): OnnxNode[] {
  const byLast = new Map(layers.map((layer) => [layer.last, layer]));
  return nodes.map((node) => {
    const layer = byLast.get(node);
    return layer === undefined ? node : attentionNode(layer, layer.output);
  });
}

function attentionNode({ query, key, value, heads, scale }: Layer, output: string): OnnxNode {
  return makeNode({
    name: `${output}/attention`,
    operator: "MultiHeadAttention",
    domain: OPERATORS_DOMAIN,
    inputs: [query, key, value],
    output,
    integers: { num_heads: heads },
    floats: { scale },
  });
}
