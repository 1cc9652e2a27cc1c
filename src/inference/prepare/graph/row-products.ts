import type { DynamicProduct } from "../../../models/onnx/dynamic-products.js";
import { makeNode, type OnnxNode } from "./onnx-graph.js";

const OPERATORS_DOMAIN = "com.microsoft";
/** From these versions of ONNX's operators on, axes are an input and no attribute. */
const MAXIMUM_AXES_OPSET = 18;
const SUM_AXES_OPSET = 13;
const FLOAT = 1;

/** Activations of any sign become whole numbers around `zero`; those that are positive all numbers from 0. */
const SIGNED = { steps: 127, zero: 128 } as const;
const LIFTED = { steps: 255, zero: 0 } as const;

/**
 * Each of these gives no less than -0.1701. Its output, lifted by a little more, is positive throughout: a row then has
 * twice as many steps.
 */
const BOUNDED_BELOW: ReadonlySet<string> = new Set(["Gelu", "BiasGelu", "FastGelu", "QuickGelu"]);
const LIFT = 0.171;

/** The scale of a row of zeros, which must not be 0; added to another it changes no bit of it. */
const LEAST = 1e-30;

/** Constants that the nodes made here ask for. */
export const ROW_NAMES = {
  kinds: {
    signed: { step: "rankmill/rows/step", zero: "rankmill/rows/zero", of: SIGNED },
    lifted: { step: "rankmill/rows/lifted-step", zero: "rankmill/rows/lifted-zero", of: LIFTED },
  },
  lastAxis: "rankmill/rows/last-axis",
  firstAxis: "rankmill/rows/first-axis",
  least: { name: "rankmill/rows/least", value: LEAST },
  lift: { name: "rankmill/rows/lift", value: LIFT },
  lower: { name: "rankmill/rows/lower", value: -LIFT },
} as const;

/** Activations that were quantised by row. */
interface QuantisedRows {
  readonly values: string;
  /** The largest value of each row. */
  readonly scale: string;
  readonly isLifted: boolean;
}

/**
 * Makes products with a scale per row:
 *
 *     r = the row's largest value            q = x / r in steps of 1/127 around 128
 *     product = (q - 128) W × r + bias
 *
 * Activations that nothing pulls below a small bound are lifted above 0 first, and have 255 steps; what the lift adds
 * to the product is the same for all rows, and is taken off the bias. Products of the same activations
 * share what is made of these.
 */
export class RowProducts {
  readonly #opset: number;
  readonly #bounded: ReadonlySet<string>;
  readonly #made = new Map<string, QuantisedRows>();

  constructor(nodes: readonly OnnxNode[], opset: number) {
    this.#opset = opset;
    this.#bounded = new Set(
      nodes.filter(({ operator }) => BOUNDED_BELOW.has(operator)).flatMap(({ outputs }) => outputs),
    );
  }

  nodesOf(product: DynamicProduct<OnnxNode>, output: string): OnnxNode[] {
    const { activations, weights, weightScale, weightZero = "" } = product;
    const known = this.#made.get(activations);
    const rows = known ?? {
      values: `${activations}/rows/values`,
      scale: `${activations}/rows/scale`,
      isLifted: this.#bounded.has(activations),
    };
    this.#made.set(activations, rows);
    const { step, zero } = kindOf(rows);
    const bias = rows.isLifted ? `${output}/lowered-bias` : product.bias;
    const unscaled = `${output}/unscaled`;
    const scaled = bias === undefined ? output : `${output}/without-bias`;
    return [
      ...(known === undefined ? this.#quantise(activations, rows) : []),
      ...(rows.isLifted && bias !== undefined ? this.#lowered(product, bias) : []),
      makeNode({
        name: `${unscaled}/product`,
        operator: "MatMulIntegerToFloat",
        domain: OPERATORS_DOMAIN,
        inputs: [rows.values, weights, step, weightScale, zero, weightZero],
        output: unscaled,
        integers: {},
        floats: {},
      }),
      plainNode("Mul", [unscaled, rows.scale], scaled),
      ...(bias === undefined ? [] : [plainNode("Add", [scaled, bias], output)]),
    ];
  }

  #quantise(activations: string, rows: QuantisedRows): OnnxNode[] {
    const named = (name: string): string => `${activations}/rows/${name}`;
    const { step, zero } = kindOf(rows);
    const positive = named("positive");
    const divided = rows.isLifted ? positive : activations;
    return [
      rows.isLifted
        ? plainNode("Add", [activations, ROW_NAMES.lift.name], positive)
        : plainNode("Abs", [activations], positive),
      this.#maximum(positive, named("largest")),
      plainNode("Add", [named("largest"), ROW_NAMES.least.name], rows.scale),
      plainNode("Div", [divided, rows.scale], named("shares")),
      plainNode("QuantizeLinear", [named("shares"), step, zero], rows.values),
    ];
  }

  /** The bias less what the lift adds to the product: constants alone, which the optimiser makes one of. */
  #lowered(product: DynamicProduct<OnnxNode>, output: string): OnnxNode[] {
    const { bias } = product;
    const sums = `${output}/sums`;
    const lowered = bias === undefined ? output : `${output}/lift`;
    return [
      ...floatWeights(product, `${output}/weights`),
      this.#opset >= SUM_AXES_OPSET
        ? plainNode("ReduceSum", [`${output}/weights`, ROW_NAMES.firstAxis], sums, { keepdims: 0 })
        : plainNode("ReduceSum", [`${output}/weights`], sums, { axes: [0], keepdims: 0 }),
      plainNode("Mul", [sums, ROW_NAMES.lower.name], lowered),
      ...(bias === undefined ? [] : [plainNode("Add", [lowered, bias], output)]),
    ];
  }

  #maximum(input: string, output: string): OnnxNode {
    return this.#opset >= MAXIMUM_AXES_OPSET
      ? plainNode("ReduceMax", [input, ROW_NAMES.lastAxis], output)
      : plainNode("ReduceMax", [input], output, { axes: [-1] });
  }
}

function kindOf({ isLifted }: QuantisedRows): { readonly step: string; readonly zero: string } {
  return isLifted ? ROW_NAMES.kinds.lifted : ROW_NAMES.kinds.signed;
}

/** The weights of a product as floats, by operators of any version. */
export function floatWeights(product: DynamicProduct<OnnxNode>, output: string): OnnxNode[] {
  const { weights, weightScale, weightZero } = product;
  const [wide, zero, centred] = [`${output}/wide`, `${output}/zero`, `${output}/centred`] as const;
  return [
    plainNode("Cast", [weights], wide, { to: FLOAT }),
    ...(weightZero === undefined
      ? []
      : [
          plainNode("Cast", [weightZero], zero, { to: FLOAT }),
          plainNode("Sub", [wide, zero], centred),
        ]),
    plainNode("Mul", [weightZero === undefined ? wide : centred, weightScale], output),
  ];
}

/** A node with one of ONNX's own operators. */
export function plainNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  integers: Readonly<Record<string, number | readonly number[]>> = {},
): OnnxNode {
  const name = `${output}/${operator}`;
  return makeNode({ name, operator, domain: "", inputs, output, integers, floats: {} });
}
