/** A tokenizer's own peak memory, in a process of its own, against what the memory plan has for it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { tokenizerReadingBytes } from "../../src/capacity/tokenizer-memory.js";
import { TOKENIZER_KINDS, type TokenizerKindName } from "../../src/tokenizers/kinds/registry.js";
import { BUILTIN_FOLDER } from "../support/builtin-model.js";
import { fixtureFolder } from "../support/lanes.js";
import { DATA, given, longTests, testData, visibleProcesses } from "../support/needs.js";
import { LONGEST_TEXT_CHARS, SCRIPTS } from "../support/script-texts.js";
import { measureTokenizer } from "../support/tokenizer-memory.js";

const TOKENS = 512;
const SOME_SCRIPTS = ["CJK", "emoji", "combining marks", "punctuation without blanks"];
/** Takes most of what each kind reads among the fixtures. */
const HUNGRIEST: Readonly<Record<TokenizerKindName, string>> = {
  rankmill: fileURLToPath(new URL("../fixtures/tokenizer/unigram-precompiled", import.meta.url)),
  tokenizers: fixtureFolder("modernbert"),
  transformers: fixtureFolder("modernbert"),
};

async function expectWithinPlan(
  kind: TokenizerKindName,
  folder: string,
  scripts: readonly string[],
): Promise<void> {
  const chars = LONGEST_TEXT_CHARS;
  const { texts } = await measureTokenizer({ kind, folder, scripts, chars, tokens: TOKENS });
  expect(texts.map(({ name }) => name)).toEqual(scripts);
  for (const { name, ids, error, growthBytes } of texts) {
    expect([error, ids], name).toEqual([undefined, expect.any(Number)]);
    expect(growthBytes, name).toBeLessThanOrEqual(tokenizerReadingBytes(kind, chars));
  }
}

describe("a tokenizer's peak memory", given(visibleProcesses), () => {
  for (const { name: kind } of TOKENIZER_KINDS) {
    it(`${kind} reads a text of ${LONGEST_TEXT_CHARS} characters within what the plan has for it`, async () => {
      await expectWithinPlan(kind, HUNGRIEST[kind], SOME_SCRIPTS);
    });
  }
});

describe(
  "a tokenizer's peak memory, for every vocabulary and script",
  given(longTests, visibleProcesses, testData("tokenizers/xlmr/tokenizer.json")),
  () => {
    const folders: Readonly<Record<string, string>> = {
      "builtin-bm25": BUILTIN_FOLDER,
      modernbert: fixtureFolder("modernbert"),
      "deberta-v2": fixtureFolder("deberta-v2"),
      bert: join(DATA, "tokenizers/bert"),
      "xlm-r": join(DATA, "tokenizers/xlmr"),
    };
    for (const { name: kind } of TOKENIZER_KINDS) {
      for (const [name, folder] of Object.entries(folders)) {
        if (kind === "rankmill" && name !== "xlm-r") continue;
        it(`${kind} reads every script within what the plan has for it, with the vocabulary of ${name}`, async () => {
          await expectWithinPlan(kind, folder, SCRIPTS);
        });
      }
    }
  },
);
