import type { OnnxOutline, OnnxValue } from "./onnx-outline.js";

/** The inputs that cross-encoders have; anything else could not be filled. */
const RERANKER_INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;
export type RerankerInput = (typeof RERANKER_INPUTS)[number];

/** @returns undefined for an input that a reranker has no value for */
export function rerankerInput(name: string): RerankerInput | undefined {
  return RERANKER_INPUTS.find((known) => known === name);
}

/**
 * @param labels of the model by its config.json, if that says it
 * @returns why a graph cannot rerank, with what to do; undefined if nothing speaks against it
 */
export function whyNotReranker(
  outline: Pick<OnnxOutline, "inputs" | "outputs">,
  labels?: number,
): string | undefined {
  return whyNotInputs(outline.inputs) ?? whyNotOutput(outline.outputs, labels);
}

function whyNotInputs(inputs: readonly OnnxValue[]): string | undefined {
  if (!inputs.some((input) => input.name === "input_ids")) {
    return "it has no input_ids input: export the model with its token ids as input";
  }
  for (const input of inputs) {
    if (rerankerInput(input.name) === undefined) {
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
  labels: number | undefined,
): string | undefined {
  const output = scoredOutput(outputs);
  if (output === undefined) return "it has no output";
  if (output.name !== "logits" && outputs.length > 1) {
    return `it has the outputs ${outputs.map((each) => each.name).join(", ")} and none is called "logits": export the model with its classification head`;
  }
  const { shape } = output;
  if (shape === undefined) return tooManyLabels(labels);
  if (shape.length > 2) {
    return `its output "${output.name}" has ${shape.length} dimensions, so the scoring head is missing: export the model with its classification head`;
  }
  const logits = shape.length === 2 ? shape[1] : 1;
  if (typeof logits !== "number") return tooManyLabels(labels);
  return logits > 1 ? tooManyLogits(logits) : undefined;
}

function tooManyLogits(logits: number): string {
  return `it gives ${logits} logits per pair: a reranker gives one, so choose a model with num_labels 1`;
}

/** A graph that does not say how many logits it gives has as many as the model has labels. */
function tooManyLabels(labels = 1): string | undefined {
  return labels > 1 ? tooManyLogits(labels) : undefined;
}
