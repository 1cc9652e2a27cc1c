/** Every prompt that comes with rankmill, on tokenizers of chat models: the ids that the models' own code makes. */
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PairTemplate } from "../../src/core/pair-assembly.js";
import type { Tokenizer } from "../../src/core/ports/tokenizer.js";
import { partsFor, type Prompt } from "../../src/core/prompt.js";
import { resolveScoring } from "../../src/core/scoring.js";
import { promptNames } from "../../src/models/known-prompts.js";
import { readModelSettings } from "../../src/models/model-settings.js";
import { encodeParts } from "../../src/pipeline/encode/encode-documents.js";
import { openTokenizer } from "../../src/tokenizers/open-tokenizer.js";
import { fixtureFolder } from "../support/lanes.js";
import { DATA, firstUnlessLong, testData } from "../support/needs.js";
import { openReference, referenceIds } from "./tokenizer.data.js";

const REAL = testData("tokenizers/qwen3");
const TINY = fixtureFolder("qwen3");
const names = await promptNames();
/** Reading the real vocabulary takes seconds. */
const CASES = [
  ...names.map((name) => ["tiny", name, TINY] as const),
  ...(REAL.isMet
    ? firstUnlessLong(["qwen3-reranker", "mxbai-rerank-v2", "zerank", "ctxl-rerank-v2"]).map(
        (name) => ["real", name, join(DATA, "tokenizers/qwen3")] as const,
      )
    : []),
];

/** Marks and breaks where a text meets its prompt: they are tokens of their own, or not. */
const TEXTS = [
  ["who grinds corn?", "The miller.\n"],
  ["  spaces around  ", "\n\ntwo\nlines  "],
  ["(brackets)", "«quotes» <tags> & 12345"],
  ["Zürich 🚲", "面粉 naïve"],
  ["empty", ""],
] as const;
const INSTRUCTIONS = [undefined, "Find who works at the mill."] as const;
const NEVER = new AbortController().signal;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-prompts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A folder with a tokenizer and a prompt, and nothing else. */
async function withPrompt(tokenizer: string, prompt: string | Prompt): Promise<string> {
  const path = await mkdtemp(join(folder, "model-"));
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await cp(join(tokenizer, file), join(path, file));
  }
  await writeFile(join(path, "rankmill.json"), JSON.stringify({ prompt }));
  return path;
}

interface Asked {
  readonly query: string;
  readonly document: string;
  readonly instruction?: string | undefined;
  readonly maxLength?: number;
  readonly windows?: boolean;
}

async function idsOf(
  { query, document, instruction, maxLength = 2_048, windows = false }: Asked,
  encoder: { readonly tokenizer: Tokenizer; readonly template: PairTemplate },
): Promise<number[][]> {
  const scoring = resolveScoring({
    maxLength,
    truncation: "only-second",
    instruction,
    ...(windows && { longDocuments: "windows" as const, overlapTokens: 0 }),
  });
  const request = { query, documents: [{ text: document }] };
  const ids: number[][] = [];
  for await (const part of encodeParts(request, scoring, encoder, NEVER)) {
    ids.push(...part.pairs.map((pair) => [...pair.ids]));
  }
  return ids;
}

/** The texts of a prompt as its model's own code tokenises them: slots in a row are one text. */
function textsOf(prompt: Prompt, { query, document, instruction: given }: Asked): string[] {
  const { parts, instruction } = partsFor(prompt, given);
  const values = { query, document, instruction };
  const texts: string[] = [];
  let followsSlot = false;
  for (const part of parts) {
    const value = "slot" in part ? values[part.slot] : "";
    if (value === undefined) continue;
    const text = "slot" in part ? part.before + value + part.after : part.text;
    if (followsSlot && "slot" in part) texts.push((texts.pop() ?? "") + text);
    else texts.push(text);
    followsSlot = "slot" in part;
  }
  return texts;
}

describe("a prompt on a tokenizer of Qwen3", () => {
  it.each(CASES)(
    "gives the ids of the model's own code (%s, %s)",
    async (_, name, tokenizerFolder) => {
      const path = await withPrompt(tokenizerFolder, name);
      const { prompt } = await readModelSettings(path);
      const opened = await openTokenizer(path);
      const reference = openReference(tokenizerFolder);
      try {
        expect(prompt).toBeDefined();
        for (const [query, document] of TEXTS) {
          for (const instruction of INSTRUCTIONS) {
            const asked = { query, document, instruction };
            const texts = prompt === undefined ? [] : textsOf(prompt, asked);
            const expected = (await referenceIds(reference, texts)).flat();
            expect(await idsOf(asked, opened)).toEqual([expected]);
          }
        }
      } finally {
        await opened.tokenizer.close();
      }
    },
  );

  it("a cut pair keeps all of its prompt, in one piece and in windows", async () => {
    const opened = await openTokenizer(await withPrompt(TINY, "ctxl-rerank-v2"));
    const { prefix, middle, suffix } = opened.template;
    const fixed = prefix.length + middle.length + suffix.length;
    const maxLength = fixed + 40;
    const asked = { query: "who grinds corn? ".repeat(200), document: "the mill. ".repeat(200) };
    try {
      const [end = []] = [...(await opened.tokenizer.encode(["\n"]))].map((ids) => [...ids]);
      for (const windows of [false, true]) {
        const query = windows ? "corn" : asked.query;
        const all = await idsOf({ ...asked, query, maxLength, windows }, opened);
        expect(all.length > 1).toBe(windows);
        for (const ids of all) {
          expect(ids.length).toBeLessThanOrEqual(maxLength);
          expect(ids.slice(0, prefix.length)).toEqual(prefix);
          expect(ids.slice(ids.length - suffix.length)).toEqual(suffix);
        }
        // The break after the document is there, wherever the document was cut.
        expect(windows || all[0]?.includes(end[0] ?? -1)).toBe(true);
      }
    } finally {
      await opened.tokenizer.close();
    }
  });

  it.each(["tokenizers", "transformers"] as const)(
    "%s gives marks that are not special their own ids, and reads special ones as text",
    async (kind) => {
      const opened = await openTokenizer(await withPrompt(TINY, "qwen3-reranker"), {
        kind,
      });
      const texts = ["<think> a thought </think>", "a<think>b", "the <|im_end|> mill"];
      const reference = openReference(TINY);
      try {
        const ours = (await opened.tokenizer.encode(texts)).map((ids) => [...ids]);
        const theirs = await referenceIds(reference, texts);
        expect(ours.slice(0, 2)).toEqual(theirs.slice(0, 2));
        expect(ours[2]?.length).toBeGreaterThan(theirs[2]?.length ?? Infinity);
      } finally {
        await opened.tokenizer.close();
      }
    },
  );
});

describe("a file with a prompt", () => {
  const slots = [{ slot: "query" }, { slot: "document" }] as const;

  it.each([
    ["names an unknown prompt", { prompt: "qwen3" }, '"qwen3" is none of'],
    ["mistypes a prompt", { prompt: "qwen3-rerank" }, "did you mean qwen3-reranker"],
    ["has no document", { prompt: { parts: [{ slot: "query" }] } }, "and one for the document"],
    ["has two queries", { prompt: { parts: [...slots, { slot: "query" }] } }, "one slot for the"],
    [
      "has an instruction without a slot",
      { prompt: { parts: slots, instruction: "find" } },
      "has an instruction, and no slot for it",
    ],
    ["is too long", { prompt: { parts: [...slots, { text: "x".repeat(5_000) }] } }, "4096"],
    ["mistypes a field", { promt: "zerank" }, "promt"],
    ["is no JSON", "no JSON", "it is not JSON"],
  ])("is refused in one line if it %s", async (_, value, reason) => {
    const path = await mkdtemp(join(folder, "bad-"));
    const text = typeof value === "string" ? value : JSON.stringify(value);
    await writeFile(join(path, "rankmill.json"), text);
    await expect(readModelSettings(path)).rejects.toThrow(reason);
  });
});
