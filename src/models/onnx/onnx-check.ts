import { PLAIN_HEAD, whyNotNumbers, type HeadUse } from "../../core/heads/head-use.js";
import type { OnnxOutline, OnnxValue } from "./onnx-outline.js";
import { pastLayout, isPastInput } from "./past-layout.js";

/** The inputs that cross-encoders have; beside those of a past, anything else could not be filled. */
const RERANKER_INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;
export type RerankerInput = (typeof RERANKER_INPUTS)[number];

const HOW_TO_EXPORT =
  "export the model with models/export and --seq-cls, which gives one logit (for Qwen3-Reranker: --seq-cls yes,no --prompt qwen3-reranker)";

/** Inputs of graphs that are made for something else, and what helps. */
const FOREIGN_INPUTS: readonly { readonly name: RegExp; readonly why: string }[] = [
  {
    name: /^past_key_values\b|^past_|^kept_tokens$/,
    why: `it is made to write text, word by word, with the keys and values of earlier words as inputs: ${HOW_TO_EXPORT}`,
  },
  {
    name: /^pixel_values|^image_/,
    why: "it reads images, which a pair of texts cannot hold: use a reranker for texts, such as Qwen3-Reranker-0.6B",
  },
  {
    name: /^decoder_input_ids$/,
    why: "it has an encoder and a decoder that writes its answer as a word: use a model with one logit, such as ms-marco-MiniLM-L12-v2",
  },
];

/** @returns undefined for an input that a reranker has no value for */
export function rerankerInput(name: string): RerankerInput | undefined {
  return RERANKER_INPUTS.find((known) => known === name);
}

/** What is known of a model beside its graph. */
export interface GraphUse {
  /** Labels of the model by its config.json, if that says it. */
  readonly labels?: number | undefined;
  /** @defaultValue one logit per pair */
  readonly head?: HeadUse | undefined;
}

/** @returns why a graph cannot rerank, with what to do; undefined if nothing speaks against it */
export function whyNotReranker(
  outline: Pick<OnnxOutline, "inputs" | "outputs">,
  use: GraphUse = {},
): string | undefined {
  const past = pastLayout(outline);
  const inputs = outline.inputs.filter(({ name }) => past === undefined || !isPastInput(name));
  return whyNotInputs(inputs) ?? whyNotOutput(outline.outputs, use);
}

function whyNotInputs(inputs: readonly OnnxValue[]): string | undefined {
  if (!inputs.some((input) => input.name === "input_ids")) {
    return "it has no input_ids input: export the model with its token ids as input";
  }
  for (const input of inputs) {
    if (rerankerInput(input.name) === undefined) {
      const kind = FOREIGN_INPUTS.find(({ name }) => name.test(input.name));
      if (kind !== undefined) return kind.why;
      return `it wants an input "${input.name}" that a reranker has no value for: export it with ${RERANKER_INPUTS.join(", ")} alone`;
    }
    const fixed = input.shape?.findIndex((size) => size !== null) ?? -1;
    if (fixed >= 0) {
      const what = fixed === 0 ? "batch" : "sequence";
      return `its input "${input.name}" has a fixed ${what} dimension of ${input.shape?.[fixed]}: export it with dynamic axes`;
    }
  }
  return undefined;
}

/** True if the output that is read went through a Sigmoid: no activation may follow. */
export function givesScores({ outputs, activatedOutputs }: OnnxOutline): boolean {
  const output = scoredOutput(outputs);
  return output !== undefined && activatedOutputs.has(output.name);
}

/** The output that a session reads. */
export function scoredOutput<Output extends { readonly name: string }>(
  outputs: readonly Output[],
): Output | undefined {
  return outputs.find(({ name }) => name === "logits") ?? outputs[0];
}

function whyNotOutput(
  outputs: readonly OnnxValue[],
  { labels = 1, head = PLAIN_HEAD }: GraphUse,
): string | undefined {
  const output = scoredOutput(outputs);
  if (output === undefined) return "it has no output";
  if (output.name !== "logits" && outputs.length > 1) {
    return `it has the outputs ${outputs.map((each) => each.name).join(", ")} and none is called "logits": export the model with its classification head`;
  }
  const { shape } = output;
  // A graph that does not say how many logits it gives has as many as the model has labels.
  if (shape === undefined) return whyNotNumbers(labels, head);
  if (shape.length > 2) return whyNotTokens(output.name, shape);
  const logits = shape.length === 2 ? shape[1] : 1;
  return whyNotNumbers(logits ?? labels, head);
}

/** A graph with numbers for each token. */
function whyNotTokens(name: string, shape: readonly (number | null)[]): string {
  if (name === "logits" && shape.length === 3) {
    return `its output "logits" has a logit per word of the vocabulary at each token, and no score: ${HOW_TO_EXPORT}`;
  }
  return `its output "${name}" has ${shape.length} dimensions, so the scoring head is missing: export the model with its classification head`;
}
