import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readModelSettings } from "../../../src/models/model-settings.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-settings-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, unknown>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(join(folder, path), text);
  }
}

const role = (name: string) =>
  `{{ messages | selectattr("role", "eq", "${name}") | map(attribute="content") | first }}`;
/** A template for Qwen3-Reranker, as servers keep it. */
const TEMPLATE = `<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n<Instruct>: ${role("system")}\n<Query>: ${role("query")}\n<Document>: ${role("document")}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n`;

/** A reranker that sentence-transformers 5.4 has saved. */
const SAVED = {
  "modules.json": [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.base.modules.Transformer" },
    {
      idx: 1,
      name: "1",
      path: "1_LogitScore",
      type: "sentence_transformers.cross_encoder.modules.logit_score.LogitScore",
    },
  ],
  "1_LogitScore/config.json": { true_token_id: 9693, false_token_id: 2152 },
  "config_sentence_transformers.json": {
    activation_fn: "torch.nn.modules.linear.Identity",
    default_prompt_name: "query",
    prompts: { query: "Find laws, not comments" },
  },
  "chat_template.jinja": TEMPLATE,
};

describe("the settings of a folder that sentence-transformers has saved", () => {
  it("are the prompt of its chat template, with its own instruction", async () => {
    await write(SAVED);
    const { prompt, files } = await readModelSettings(folder);
    expect(prompt?.instruction).toBe("Find laws, not comments");
    expect(prompt?.parts).toContainEqual({ slot: "query", before: "<Query>: ", after: "\n" });
    expect(files.map(({ path }) => path.slice(folder.length + 1))).toEqual([
      "modules.json",
      "chat_template.jinja",
      "config_sentence_transformers.json",
    ]);
  });

  it("keep the known instruction if they name none", async () => {
    await write({
      ...SAVED,
      "config_sentence_transformers.json": { default_prompt_name: null, prompts: {} },
    });
    const { prompt } = await readModelSettings(folder);
    expect(prompt?.instruction).toMatch(/^Given a web search query/);
  });

  it.each([
    ["an unknown template", { "chat_template.jinja": "{% for m in messages %}{% endfor %}" }],
    ["another text", { "chat_template.jinja": TEMPLATE.replace("yes", "Yes") }],
  ])("are refused with %s, and with what to write", async (_, files) => {
    await write({ ...SAVED, ...files });
    await expect(readModelSettings(folder)).rejects.toThrow(
      /chat_template\.jinja cannot be used: .*no Jinja is run: write rankmill\.json .*qwen3-reranker/,
    );
  });

  it("are refused without a template, and with an instruction that is not there", async () => {
    const { "chat_template.jinja": _, ...without } = SAVED;
    await write(without);
    await expect(readModelSettings(folder)).rejects.toThrow(/this file with it is missing/);
    const config = { default_prompt_name: "query", prompts: { passage: "x" } };
    await write({ ...SAVED, "config_sentence_transformers.json": config });
    await expect(readModelSettings(folder)).rejects.toThrow(/prompts has no "query"/);
  });

  it("give way to rankmill.json, and are none for an encoder", async () => {
    await write({ ...SAVED, "rankmill.json": { prompt: "zerank", head: { scale: 0.2 } } });
    const { prompt, head, files } = await readModelSettings(folder);
    expect(prompt?.instruction).toBeUndefined();
    expect(head).toEqual({ kind: "logit", scale: 0.2 });
    expect(files.map(({ role: part }) => part)).toEqual(["prompt"]);
    await rm(join(folder, "rankmill.json"));
    await write({ "modules.json": SAVED["modules.json"].slice(0, 1) });
    expect(await readModelSettings(folder)).toMatchObject({ prompt: undefined, files: [] });
  });
});

describe("rankmill.json", () => {
  it("may hold a head without a prompt", async () => {
    await write({ "rankmill.json": { head: { kind: "difference", label: 1, against: 0 } } });
    expect(await readModelSettings(folder)).toMatchObject({
      prompt: undefined,
      head: { kind: "difference", label: 1, against: 0, scale: 1 },
    });
  });

  it.each([
    [
      { parts: [{ slot: "passage" }] },
      /prompt\.parts\.0: is \{"slot":"passage"\}: write .*query or document/,
    ],
    [{ parts: [{ text: 5 }] }, /prompt\.parts\.0: is \{"text":5\}: write \{"text": …\}/],
    [
      { prefix: "a" },
      /prompt: it is neither a name \(.*qwen3-reranker.*\) nor an object with parts/,
    ],
    [null, /prompt: it is neither a name/],
  ])("is refused with the prompt %j, and says what to write", async (prompt, said) => {
    await write({ "rankmill.json": { prompt } });
    await expect(readModelSettings(folder)).rejects.toThrow(said);
  });

  it("is refused if it is empty", async () => {
    await write({ "rankmill.json": {} });
    await expect(readModelSettings(folder)).rejects.toThrow("it may hold prompt, head, activation");
  });
});
