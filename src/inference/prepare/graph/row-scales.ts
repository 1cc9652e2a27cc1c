import { findDynamicProducts, type DynamicProduct } from "../../../models/onnx/dynamic-products.js";
import type { ComparedProduct } from "./compared-product.js";
import {
  byteConstant,
  changeGraph,
  floatConstant,
  integersConstant,
  opsetOf,
  readGraph,
  type GraphChanges,
  type OnnxNode,
} from "./onnx-graph.js";
import { floatWeights, plainNode, RowProducts, ROW_NAMES } from "./row-products.js";

/** A graph whose int8 products have a scale per row of activations, and what shows that they are the same products. */
export interface RowScales {
  readonly model: Buffer;
  /** The original's products, the ones by row and the float ones beside each other, for the same activations. */
  readonly comparison: Buffer;
  readonly products: readonly ComparedProduct[];
}

const FLOAT = 1;

/**
 * Gives the int8 products of a model a scale per row of activations, where they have one for the whole tensor: each
 * row is divided by its largest value before it is quantised, and the product is multiplied by it. A row then
 * has all steps to itself, and its product does not depend on any other row.
 *
 * @param model a graph whose weights lie in another file
 * @returns undefined if its products are of another kind; see {@link findDynamicProducts}
 * @throws RangeError if the bytes are no model
 */
export function scaleRows(model: Buffer): RowScales | undefined {
  const graph = readGraph(model);
  // Nothing is looked at in graphs within nodes.
  const hidden = graph.nodes.some(({ hasSubgraph, bytes }) => hasSubgraph && isDynamic(bytes));
  const found = hidden ? undefined : findDynamicProducts(graph);
  if (found === undefined || !found.every(castsToFloat)) return undefined;
  const rows = new RowProducts(graph.nodes, opsetOf(model));
  const byLast = new Map(found.map((product) => [product.last, product]));
  const dropped = new Set(found.flatMap(({ nodes }) => nodes));
  const nodes = graph.nodes.flatMap((node) => {
    const product = byLast.get(node);
    if (product !== undefined) return rows.nodesOf(product, product.output);
    return dropped.has(node) ? [] : [node];
  });
  return { model: changeGraph(model, { nodes, ...ADDED }), ...compare(model, graph.nodes, found) };
}

function compare(
  model: Buffer,
  original: readonly OnnxNode[],
  found: readonly DynamicProduct<OnnxNode>[],
): Omit<RowScales, "model"> {
  const rows = new RowProducts(original, opsetOf(model));
  const products = found.map(({ output }) => ({
    exact: `${output}/exact`,
    original: output,
    formed: `${output}/rows`,
  }));
  const beside = found.flatMap((product) => [
    ...rows.nodesOf(product, `${product.output}/rows`),
    ...exactNodes(product, `${product.output}/exact`),
  ]);
  const nodes = [...original, ...beside];
  const moreOutputs = products.flatMap((one) => Object.values(one));
  return { comparison: changeGraph(model, { nodes, moreOutputs, ...ADDED }), products };
}

const ADDED: Pick<GraphChanges, "moreConstants" | "moreDomains"> = {
  moreConstants: [
    ...Object.values(ROW_NAMES.kinds).flatMap(({ step, zero, of }) => [
      floatConstant(step, 1 / of.steps),
      byteConstant(zero, of.zero),
    ]),
    integersConstant(ROW_NAMES.lastAxis, [-1]),
    integersConstant(ROW_NAMES.firstAxis, [0]),
    floatConstant(ROW_NAMES.least.name, ROW_NAMES.least.value),
    floatConstant(ROW_NAMES.lift.name, ROW_NAMES.lift.value),
    floatConstant(ROW_NAMES.lower.name, ROW_NAMES.lower.value),
  ],
  moreDomains: { "com.microsoft": 1 },
};

function exactNodes(product: DynamicProduct<OnnxNode>, output: string): OnnxNode[] {
  const { activations, bias } = product;
  const wide = `${output}/weights`;
  const without = bias === undefined ? output : `${output}/without-bias`;
  return [
    ...floatWeights(product, wide),
    plainNode("MatMul", [activations, wide], without),
    ...(bias === undefined ? [] : [plainNode("Add", [without, bias], output)]),
  ];
}

function castsToFloat({ nodes }: DynamicProduct<OnnxNode>): boolean {
  return nodes.every(
    ({ operator, attributes }) => operator !== "Cast" || attributes.get("to") === FLOAT,
  );
}

function isDynamic(bytes: Buffer): boolean {
  return bytes.includes("DynamicQuantize") || bytes.includes("MatMulInteger");
}
