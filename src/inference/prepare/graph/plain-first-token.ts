import { firstTokenChoice, FIRST_PLACE } from "./first-token.js";
import { FirstTokenNodes } from "./first-token-nodes.js";
import {
  changeGraph,
  integersConstant,
  producersOf,
  readGraph,
  withNames,
  type OnnxGraph,
  type OnnxNode,
  type SmallTensor,
} from "./onnx-graph.js";
import { withoutUnused } from "./unused-nodes.js";

const ELEMENT_BY_ELEMENT: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Div"]);

/**
 * Moves the choice of the first token from the end of an encoder to before the query of its last layer, as
 * `keepFirstToken` does, in a graph of ONNX's own operators as an exporter wrote it. Its mask stays.
 *
 * @param model a graph whose weights may lie in another file
 * @returns undefined if the graph ends otherwise, or its last attention is not softmax(QKᵀ)V
 * @throws RangeError if the bytes are no model
 */
export function keepFirstTokenOfPlain(model: Buffer): Buffer | undefined {
  const graph = withConstantNodes(readGraph(model));
  if (graph.nodes.some(({ hasSubgraph }) => hasSubgraph)) return undefined;
  const choice = firstTokenChoice(graph);
  const [hidden = "", place = ""] = choice?.inputs ?? [];
  const whole = keysAndValues(graph);
  if (choice === undefined || whole === undefined || whole.has(hidden)) return undefined;
  const made = new FirstTokenNodes(graph, whole);
  const first = made.of(hidden, 1);
  const at = graph.nodes.indexOf(choice);
  const nodes = [
    ...graph.nodes.slice(0, at),
    ...made.nodes,
    withNames(choice, [first, place], choice.outputs, "/first"),
    ...graph.nodes.slice(at + 1),
  ];
  return changeGraph(model, {
    nodes: withoutUnused(graph, nodes),
    moreConstants: [integersConstant(FIRST_PLACE, [0]), ...made.constants],
  });
}

/** Exporters write small constants as nodes. */
function withConstantNodes(graph: OnnxGraph): OnnxGraph {
  const constants = new Map<string, SmallTensor | undefined>(graph.constants);
  for (const { operator, outputs, attributes } of graph.nodes) {
    if (operator !== "Constant") continue;
    const value = attributes.get("value");
    const isTensor = typeof value === "object" && "dimensions" in value;
    constants.set(outputs[0] ?? "", isTensor ? value : undefined);
  }
  return { ...graph, constants };
}

/** All that keys and values of the last attention are made of: the first token attends to every token. */
function keysAndValues(graph: OnnxGraph): ReadonlySet<string> | undefined {
  const { nodes } = graph;
  const producers = producersOf(graph);
  const softmax = nodes.findLast(({ operator }) => operator === "Softmax");
  const [shares = ""] = softmax?.outputs ?? [];
  const weighted = nodes.find(
    ({ operator, inputs }) => operator === "MatMul" && inputs[0] === shares,
  );
  const scores = productBehind(softmax?.inputs[0] ?? "", producers);
  if (weighted === undefined || scores === undefined) return undefined;
  const found = new Set<string>();
  const open = [scores.inputs[1] ?? "", weighted.inputs[1] ?? ""];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (found.has(value)) continue;
    found.add(value);
    open.push(...(producers.get(value)?.inputs ?? []));
  }
  return found;
}

/** The product that a value is made of by scaling it and adding a mask. */
function productBehind(
  value: string,
  producers: ReadonlyMap<string, OnnxNode>,
): OnnxNode | undefined {
  const node = producers.get(value);
  if (node === undefined || node.operator === "MatMul") return node;
  if (!ELEMENT_BY_ELEMENT.has(node.operator)) return undefined;
  for (const input of node.inputs) {
    const found = productBehind(input, producers);
    if (found !== undefined) return found;
  }
  return undefined;
}
