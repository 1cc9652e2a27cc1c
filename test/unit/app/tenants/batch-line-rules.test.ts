import { describe, expect, it } from "vitest";
import { batchLineRules } from "../../../../src/app/tenants/batch-line-rules.js";

const refuse = batchLineRules("/v1/rerank", ["served", "alias"]);
const line = (body: object): object => ({ custom_id: "a", url: "/v1/rerank", body });

describe("a line of a batch", () => {
  it("is taken for the batch's endpoint and model, with fields that ask for nothing", () => {
    const nothing = { instruction: null, max_tokens_per_doc: 0, raw_scores: "false", top_n: 3 };
    for (const model of ["served", "alias", undefined]) {
      expect(refuse(line({ model, ...nothing }))).toBeUndefined();
    }
  });

  it("is refused by name if it asks for scores of another kind than its neighbours'", () => {
    for (const [field, value] of [
      ["instruction", "find laws"],
      ["instruct", "find laws"],
      ["max_tokens_per_doc", 512],
      ["max_chunks_per_doc", 4],
      ["truncate_prompt_tokens", 128],
      ["raw_scores", true],
    ] as const) {
      expect(refuse(line({ model: "served", [field]: value }))?.field).toBe(`body.${field}`);
    }
  });
});
