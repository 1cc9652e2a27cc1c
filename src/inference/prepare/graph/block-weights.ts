import type { ComparedProduct } from "./compared-product.js";
import {
  changeGraph,
  ELEMENT,
  makeNode,
  newConstant,
  readGraph,
  readStoredTensors,
  type NewConstant,
  type OnnxNode,
  type StoredTensor,
} from "./onnx-graph.js";

/** Weights that share a scale: along the sum of a product. */
const BLOCK = 32;
/** Smaller matrices save nothing. */
const LEAST_SIZE = 32;
const BITS = 8;
const STEPS = 127;
/** The byte that stands for 0. */
const ZERO = 128;
/** The arithmetic of `MatMulNBits`: activations in bytes with a scale per block. */
const BYTES_ACCURACY = 4;

/** A graph whose products have weights in bytes, and what shows that they are the same products. */
export interface BlockWeights {
  readonly model: Buffer;
  readonly comparison: Buffer;
  readonly products: readonly Pick<ComparedProduct, "exact" | "formed">[];
}

/**
 * Turns the weights of products into bytes with a scale per block of 32, for `MatMulNBits`.
 *
 * @param model a graph whose weights lie in another file
 * @param read the bytes of a tensor in that file
 * @returns undefined if it has no such products
 * @throws RangeError if the bytes are no model
 */
export function blockWeights(
  model: Buffer,
  read: (tensor: StoredTensor) => Buffer,
): BlockWeights | undefined {
  const { nodes } = readGraph(model);
  const stored = readStoredTensors(model);
  const constants = new Map<string, NewConstant[]>();
  const made = new Map<OnnxNode, (output: string) => OnnxNode>();
  for (const node of nodes) {
    const [activations = "", weights = ""] = node.inputs;
    const tensor = node.operator === "MatMul" ? stored.get(weights) : undefined;
    if (tensor === undefined || !isMatrix(tensor)) continue;
    const [depth = 0, columns = 0] = tensor.dimensions;
    if (!constants.has(weights)) {
      constants.set(weights, quantise(weights, read(tensor), depth, columns));
    }
    made.set(node, (output) => product(activations, weights, depth, columns, output));
  }
  if (made.size === 0) return undefined;
  const moreConstants = [...constants.values()].flat();
  const added = { moreConstants, moreDomains: { "com.microsoft": 1 } };
  const products = [...made.keys()].map((node) => ({
    exact: outputOf(node),
    formed: `${outputOf(node)}/blocks`,
  }));
  const beside = [...made].map(([node, make]) => make(`${outputOf(node)}/blocks`));
  return {
    model: changeGraph(model, {
      nodes: nodes.map((node) => made.get(node)?.(outputOf(node)) ?? node),
      ...added,
    }),
    comparison: changeGraph(model, {
      nodes: [...nodes, ...beside],
      moreOutputs: products.flatMap(({ exact, formed }) => [exact, formed]),
      ...added,
    }),
    products,
  };
}

function outputOf(node: OnnxNode): string {
  return node.outputs[0] ?? "";
}

function isMatrix({ dimensions, element }: StoredTensor): boolean {
  const [depth = 0, columns = 0, ...more] = dimensions;
  const isLarge = Math.min(depth, columns) >= LEAST_SIZE;
  return element === ELEMENT.float && more.length === 0 && isLarge && depth % BLOCK === 0;
}

/** (depth, columns) to (columns, blocks, block), as `MatMulNBits` reads it. */
function quantise(name: string, raw: Buffer, depth: number, columns: number): NewConstant[] {
  const weights = new Float32Array(depth * columns);
  Buffer.from(weights.buffer).set(raw.subarray(0, weights.byteLength));
  const blocks = depth / BLOCK;
  const bytes = Buffer.alloc(depth * columns);
  const scales = new Float32Array(columns * blocks);
  for (let column = 0; column < columns; column += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const start = block * BLOCK * columns + column;
      let largest = 0;
      for (let i = 0; i < BLOCK; i += 1) {
        largest = Math.max(largest, Math.abs(weights[start + i * columns] ?? 0));
      }
      const scale = Math.fround(largest / STEPS);
      scales[column * blocks + block] = scale;
      const at = column * depth + block * BLOCK;
      for (let i = 0; i < BLOCK; i += 1) {
        const steps = scale === 0 ? 0 : Math.round((weights[start + i * columns] ?? 0) / scale);
        bytes[at + i] = ZERO + Math.max(-STEPS, Math.min(STEPS, steps));
      }
    }
  }
  return [
    newConstant(`${name}/blocks`, ELEMENT.uint8, [columns, blocks, BLOCK], bytes),
    newConstant(`${name}/scales`, ELEMENT.float, [columns * blocks], Buffer.from(scales.buffer)),
  ];
}

function product(
  activations: string,
  weights: string,
  depth: number,
  columns: number,
  output: string,
): OnnxNode {
  return makeNode({
    name: `${output}/product`,
    operator: "MatMulNBits",
    domain: "com.microsoft",
    inputs: [activations, `${weights}/blocks`, `${weights}/scales`],
    output,
    integers: {
      K: depth,
      N: columns,
      bits: BITS,
      block_size: BLOCK,
      accuracy_level: BYTES_ACCURACY,
    },
    floats: {},
  });
}
