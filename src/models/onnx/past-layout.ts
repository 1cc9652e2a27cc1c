import type { OnnxOutline, OnnxValue } from "./onnx-outline.js";

/** The input that says of how many tokens a run gives keys and values. */
export const KEPT_TOKENS = "kept_tokens";
const PAST = /^past_key_values\.\d+\.(key|value)$/;
/** Dimensions of keys and values: rows, heads, tokens, numbers per head. */
const DIMENSIONS = 4;
const FLOAT_BYTES = 4;

/** Keys and values that a graph takes and gives, by the names of input and output. */
export interface PastLayout {
  readonly tensors: readonly PastTensor[];
  /** Bytes of the keys and values of one token, in all layers. */
  readonly bytesPerToken: number;
}

export interface PastTensor {
  readonly input: string;
  readonly output: string;
  readonly heads: number;
  readonly headSize: number;
}

/** True if a graph with a past reads the input in place of one that every reranker has. */
export function isPastInput(name: string): boolean {
  return name === KEPT_TOKENS || PAST.test(name);
}

/**
 * The past of a graph that computes what the pairs of a query share once, as the project's exporter writes it.
 *
 * @returns undefined for a graph without one, or whose past is of another kind
 */
export function pastLayout({
  inputs,
  outputs,
}: Pick<OnnxOutline, "inputs" | "outputs">): PastLayout | undefined {
  const past = inputs.filter(({ name }) => PAST.test(name));
  const given = new Set(outputs.map(({ name }) => name));
  const tensors = past.flatMap((input) => tensorOf(input, given) ?? []);
  const isOurs = inputs.some(({ name }) => name === KEPT_TOKENS);
  if (!isOurs || past.length === 0 || tensors.length < past.length) return undefined;
  const floats = tensors.reduce((sum, { heads, headSize }) => sum + heads * headSize, 0);
  return { tensors, bytesPerToken: floats * FLOAT_BYTES };
}

function tensorOf({ name, shape }: OnnxValue, given: ReadonlySet<string>): PastTensor | undefined {
  const output = name.replace(/^past_key_values/, "present");
  const [, heads, , headSize] = shape ?? [];
  if (shape?.length !== DIMENSIONS || !given.has(output)) return undefined;
  if (typeof heads !== "number" || typeof headSize !== "number") return undefined;
  return { input: name, output, heads, headSize };
}
