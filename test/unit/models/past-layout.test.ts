import { describe, expect, it } from "vitest";
import { whyNotReranker } from "../../../src/models/onnx/onnx-check.js";
import { pastLayout } from "../../../src/models/onnx/past-layout.js";

const integers = (name: string, ...shape: (number | null)[]) => ({ name, shape });
const PAST = ["past_key_values.0.key", "past_key_values.0.value"].map((name) =>
  integers(name, null, 2, null, 8),
);
const INPUTS = [
  integers("input_ids", null, null),
  integers("attention_mask", null, null),
  integers("kept_tokens", 1),
  ...PAST,
];
const LOGITS = integers("logits", null, 1);
const PRESENT = ["present.0.key", "present.0.value"].map((name) =>
  integers(name, null, 2, null, 8),
);

describe("a graph with keys and values", () => {
  it("is a reranker if it gives what it takes, and says of how many tokens", () => {
    const graph = { inputs: INPUTS, outputs: [LOGITS, ...PRESENT] };
    expect(whyNotReranker(graph)).toBeUndefined();
    expect(pastLayout(graph)).toEqual({
      bytesPerToken: 2 * 2 * 8 * 4,
      tensors: [
        {
          input: "past_key_values.0.key",
          output: "present.0.key",
          heads: 2,
          headSize: 8,
        },
        {
          input: "past_key_values.0.value",
          output: "present.0.value",
          heads: 2,
          headSize: 8,
        },
      ],
    });
  });

  it.each([
    ["lacks an output", INPUTS, [LOGITS, PRESENT[0]]],
    [
      "has no kept_tokens",
      INPUTS.filter(({ name }) => name !== "kept_tokens"),
      [LOGITS, ...PRESENT],
    ],
    [
      "has heads of no fixed size",
      [...INPUTS.slice(0, 3), ...PAST.map(({ name }) => integers(name, null, null, null, null))],
      [LOGITS, ...PRESENT],
    ],
  ])("is refused if it %s, with what to do", (_, inputs, outputs) => {
    const graph = { inputs, outputs: outputs.filter((output) => output !== undefined) };
    expect(whyNotReranker(graph)).toContain("export the model with models/export");
  });

  it("is refused if it gives a logit per word", () => {
    const outputs = [integers("logits", null, null, 151_669), ...PRESENT];
    expect(whyNotReranker({ inputs: INPUTS, outputs })).toContain("a logit per word");
  });

  it("is not meant by a graph without them", () => {
    const graph = { inputs: INPUTS.slice(0, 2), outputs: [LOGITS] };
    expect(pastLayout(graph)).toBeUndefined();
  });
});
