import { producersOf, type OnnxGraph, type OnnxNode, type SmallTensor } from "./onnx-graph.js";

/**
 * The known values of a graph, whatever its other inputs hold, if some inputs hold one number
 * throughout: a value is *uniform* if all its elements are then one known number. Shapes do not
 * matter to it, so it holds for pairs of any length.
 */
export class UniformValues {
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #constants: OnnxGraph["constants"];
  readonly #known: Map<string, number | undefined>;

  /** @param inputs graph inputs that hold one number throughout */
  constructor(graph: OnnxGraph, inputs: Readonly<Record<string, number>>) {
    this.#constants = graph.constants;
    this.#producers = producersOf(graph);
    this.#known = new Map(Object.entries(inputs));
  }

  /** @returns the number that all elements are; undefined if they differ or it is not known */
  of(name: string): number | undefined {
    if (this.#known.has(name)) return this.#known.get(name);
    const value = this.#find(name);
    this.#known.set(name, value);
    return value;
  }

  #find(name: string): number | undefined {
    const constant = this.#constants.get(name);
    if (constant !== undefined) return onlyValue(constant);
    const node = this.#producers.get(name);
    if (node === undefined || node.outputs[0] !== name || node.domain !== "") return undefined;
    const { operator, inputs, attributes } = node;
    const [first = "", second = "", third = ""] = inputs;
    if (operator === "Constant" || operator === "ConstantOfShape") {
      const value = attributes.get("value");
      if (value === undefined) return operator === "Constant" ? undefined : 0;
      return isTensor(value) ? onlyValue(value) : undefined;
    }
    if (RESHAPING.has(operator)) return this.of(first);
    if (operator === "Cast") return cast(this.of(first), attributes.get("to"));
    if (operator === "Not") {
      const value = this.of(first);
      return value === undefined ? undefined : Number(value === 0);
    }
    if (operator === "Where") {
      const condition = this.of(first);
      if (condition !== undefined) return this.of(condition === 0 ? third : second);
      const [yes, no] = [this.of(second), this.of(third)];
      return yes === no ? yes : undefined;
    }
    const arithmetic = ARITHMETIC[operator];
    if (arithmetic === undefined || inputs.length !== 2) return undefined;
    const [a, b] = [this.of(first), this.of(second)];
    return a === undefined || b === undefined ? undefined : arithmetic(a, b);
  }
}

/** Their output has the elements of their first input, or some of them. */
const RESHAPING: ReadonlySet<string> = new Set([
  "Identity",
  "Unsqueeze",
  "Squeeze",
  "Reshape",
  "Flatten",
  "Expand",
  "Transpose",
  "Slice",
  "Gather",
  "Tile",
]);

/** The result of two inputs that are broadcast to each other. */
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => Math.fround(a + b),
  Sub: (a, b) => Math.fround(a - b),
  Mul: (a, b) => Math.fround(a * b),
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  Less: (a, b) => Number(a < b),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Min: Math.min,
  Max: Math.max,
};

const BOOLEAN = 9;

function cast(value: number | undefined, to: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (to === BOOLEAN) return Number(value !== 0);
  // Between kinds of numbers only what is whole and small is the same in all of them.
  return Number.isInteger(value) && Math.abs(value) < 128 ? value : undefined;
}

function isTensor(value: number | readonly number[] | SmallTensor): value is SmallTensor {
  return typeof value === "object" && "dimensions" in value;
}

function onlyValue({ values }: SmallTensor): number | undefined {
  const [first] = values;
  return values.every((value) => value === first) ? first : undefined;
}
