/** A node of an ONNX graph, as far as this file needs to know it. */
export interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface GraphToSearch<Node extends GraphNode> {
  readonly nodes: readonly Node[];
  /** Names of the constants that stand among the graph's weights. */
  readonly constants: { has(name: string): boolean };
  /** Names of what the graph gives. */
  readonly outputs: readonly string[];
}

/** A product of activations that are quantised as the model runs, and constant weights. */
export interface DynamicProduct<Node extends GraphNode> {
  /** The activations, not quantised yet. */
  readonly activations: string;
  readonly weights: string;
  readonly weightScale: string;
  /** Undefined: 0. */
  readonly weightZero: string | undefined;
  readonly bias: string | undefined;
  readonly output: string;
  /** The node that gives `output`; other nodes can stand in its place. */
  readonly last: Node;
  /** All nodes that go with the product; several products may share the first of them. */
  readonly nodes: readonly Node[];
}

/** Operators that take a scale from a whole tensor, or whose products are not known to keep bits. */
const OTHER_DYNAMIC: ReadonlySet<string> = new Set([
  "DynamicQuantizeLSTM",
  "QAttention",
  "ConvInteger",
  "MatMulNBits",
  "MatMulBnb4",
]);

/**
 * The products of a model with dynamic int8, as ONNX Runtime's `quantize_dynamic` writes them or its optimiser leaves
 * them:
 *
 *     DynamicQuantizeLinear ─┬ MatMulInteger ─ Cast ─┬ Mul
 *                            └ Mul scale of weights ─┘
 *     DynamicQuantizeLinear ── MatMulIntegerToFloat
 *     DynamicQuantizeMatMul
 *
 * @returns undefined if there is none, or if anything else in the graph is quantised as it runs
 */
export function findDynamicProducts<Node extends GraphNode>(
  graph: GraphToSearch<Node>,
): DynamicProduct<Node>[] | undefined {
  if (graph.nodes.some(({ operator }) => OTHER_DYNAMIC.has(operator))) return undefined;
  return new Search(graph).products();
}

class Search<Node extends GraphNode> {
  readonly #graph: GraphToSearch<Node>;
  readonly #consumers = new Map<string, Node[]>();
  readonly #found: DynamicProduct<Node>[] = [];

  constructor(graph: GraphToSearch<Node>) {
    this.#graph = graph;
    for (const node of graph.nodes) {
      for (const input of new Set(node.inputs)) {
        this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
      }
    }
  }

  products(): DynamicProduct<Node>[] | undefined {
    for (const node of this.#graph.nodes) {
      if (node.operator === "DynamicQuantizeMatMul" && !this.#addWhole(node)) return undefined;
      if (node.operator === "DynamicQuantizeLinear" && !this.#addProductsOf(node)) return undefined;
    }
    const covered = new Set(this.#found.flatMap(({ nodes }) => nodes));
    const isOpen = (node: Node): boolean =>
      INTEGER_PRODUCTS.has(node.operator) && !covered.has(node);
    if (this.#found.length === 0 || this.#graph.nodes.some(isOpen)) return undefined;
    return this.#found;
  }

  #addWhole(node: Node): boolean {
    const [activations = "", weights = "", weightScale = "", zero = "", bias = ""] = node.inputs;
    return this.#add({ activations, weights, weightScale, zero, bias, nodes: [node] });
  }

  #addProductsOf(quantise: Node): boolean {
    const [activations = ""] = quantise.inputs;
    const [quantised = "", scale = "", zero = ""] = quantise.outputs;
    const products = this.#usersOf(quantised);
    const isOwn = (node: Node): boolean => products.includes(node);
    // A zero that anything else reads, or a scale, would be missed by it.
    if (products.length === 0 || !this.#usersOf(zero).every(isOwn)) return false;
    const scales = this.#usersOf(scale).filter((node) => !isOwn(node));
    const used: Node[] = [];
    for (const product of products) {
      const [left, weights = "", third = "", fourth = "", fifth = "", sixth = "", bias = ""] =
        product.inputs;
      if (left !== quantised) return false;
      if (product.operator === "MatMulIntegerToFloat") {
        if (third !== scale || fifth !== zero) return false;
        const parts = { activations, weights, weightScale: fourth, zero: sixth, bias };
        if (!this.#add({ ...parts, nodes: [quantise, product] })) return false;
        continue;
      }
      const tail = this.#scaled(product, scale);
      if (product.operator !== "MatMulInteger" || third !== zero || tail === undefined)
        return false;
      const { weightScale, nodes } = tail;
      used.push(...nodes);
      const parts = { activations, weights, weightScale, zero: fourth, bias: "" };
      if (!this.#add({ ...parts, nodes: [quantise, product, ...nodes] })) return false;
    }
    return scales.every((node) => used.includes(node));
  }

  /** The nodes that turn whole numbers into floats and scale them. */
  #scaled(product: Node, scale: string): { weightScale: string; nodes: Node[] } | undefined {
    const cast = this.#onlyUser(product, "Cast");
    const last = cast && this.#onlyUser(cast, "Mul");
    const factor = last?.inputs.find((input) => input !== cast?.outputs[0]);
    const scales = this.#usersOf(scale).find(
      ({ operator, outputs }) => operator === "Mul" && outputs[0] === factor,
    );
    const weightScale = scales?.inputs.find((input) => input !== scale);
    if (cast === undefined || last === undefined || weightScale === undefined) return undefined;
    if (scales === undefined || this.#onlyUser(scales, "Mul") !== last) return undefined;
    return { weightScale, nodes: [cast, scales, last] };
  }

  #add(part: {
    activations: string;
    weights: string;
    weightScale: string;
    zero: string;
    bias: string;
    nodes: Node[];
  }): boolean {
    const { constants } = this.#graph;
    const { activations, weights, weightScale, zero, bias, nodes } = part;
    const last = nodes.at(-1);
    const [output] = last?.outputs ?? [];
    const isConstant = (name: string): boolean => name === "" || constants.has(name);
    if (last === undefined || output === undefined || activations === "") return false;
    if (!constants.has(weights) || !constants.has(weightScale)) return false;
    if (!isConstant(zero) || !isConstant(bias)) return false;
    const [weightZero, ownBias] = [zero, bias].map((name) => (name === "" ? undefined : name));
    const product = { activations, weights, weightScale, weightZero, bias: ownBias };
    this.#found.push({ ...product, output, last, nodes });
    return true;
  }

  /** The one node that uses what `node` gives; undefined if there are several, or the graph gives it away. */
  #onlyUser(node: Node, operator: string): Node | undefined {
    const [user, ...others] = this.#usersOf(node.outputs[0] ?? "");
    return others.length === 0 && user?.operator === operator ? user : undefined;
  }

  /** Nothing if the graph gives the value away: that is a user that cannot be seen. */
  #usersOf(value: string): Node[] {
    if (value === "" || this.#graph.outputs.includes(value)) return [];
    return this.#consumers.get(value) ?? [];
  }
}

/** Products of quantised activations; each must be found. */
const INTEGER_PRODUCTS: ReadonlySet<string> = new Set([
  "MatMulInteger",
  "MatMulIntegerToFloat",
  "DynamicQuantizeMatMul",
]);
