import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readModelConfig } from "../../../src/models/model-config.js";
import { readModelUse, type ModelUse } from "../../../src/models/model-use.js";

const PROMPTS = { query: "search: ", none: "" };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-use-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function useOf(modelType: string, saved: unknown): Promise<ModelUse> {
  const config = { model_type: modelType, max_position_embeddings: 512 };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "config_sentence_transformers.json"), JSON.stringify(saved));
  return await readModelUse(folder, await readModelConfig(folder));
}

describe("the default prompt of sentence-transformers", () => {
  const saved = { default_prompt_name: "query", prompts: PROMPTS };

  it("is refused for an encoder, whose queries would begin with it", async () => {
    await expect(useOf("bert", saved)).rejects.toThrow(
      /config_sentence_transformers\.json cannot be used: default_prompt_name: .*"search: " before each query.*set it to null/,
    );
  });

  it("is an instruction for a language model, which needs a prompt first", async () => {
    await expect(useOf("qwen3", saved)).rejects.toThrow(/nothing says how it is asked/);
  });

  it.each([
    ["there is none", { default_prompt_name: null, prompts: PROMPTS }],
    ["it is empty", { default_prompt_name: "none", prompts: PROMPTS }],
    ["its text is not there", { default_prompt_name: "passage", prompts: PROMPTS }],
    ["the file has another shape", ["prompts"]],
  ])("changes nothing of an encoder if %s", async (_, other) => {
    expect(await useOf("bert", other)).toMatchObject({ prompt: undefined, settingsFiles: [] });
  });
});
