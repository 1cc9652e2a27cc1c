import { describe, expect, it } from "vitest";
import { allowsCuts, nextCut } from "../../../src/tokenizers/cuts.js";
import { tokenizerJsonSchema } from "../../../src/tokenizers/tokenizer-json.js";

type Stage = Readonly<Record<string, unknown>>;

const METASPACE = { type: "Metaspace", replacement: "▁" };
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
const WHITESPACE_SPLIT = { type: "WhitespaceSplit" };
const SPLIT = { type: "Split", pattern: { Regex: "\\p{L}+" }, behavior: "Isolated", invert: false };
const pretokenizers = (...stages: Stage[]): Stage => ({ type: "Sequence", pretokenizers: stages });
const normalizers = (...stages: Stage[]): Stage => ({ type: "Sequence", normalizers: stages });
const replaceRegex = (Regex: string): Stage => ({
  type: "Replace",
  pattern: { Regex },
  content: "",
});

function allowed(
  pre_tokenizer: Stage | null,
  normalizer: Stage | null = null,
  addedToken?: Stage,
): boolean {
  const added_tokens = addedToken === undefined ? [] : [{ id: 9, ...addedToken }];
  return allowsCuts(
    tokenizerJsonSchema.parse({ model: {}, added_tokens, pre_tokenizer, normalizer }),
  );
}

describe("texts may be cut for", () => {
  it.each([
    ["BERT", { type: "BertPreTokenizer" }, { type: "BertNormalizer" }],
    [
      "XLM-R",
      { ...METASPACE, prepend_scheme: "always", split: true },
      normalizers({ type: "Precompiled" }, replaceRegex(" {2,}")),
    ],
    [
      "XLM-R in its older form",
      pretokenizers(WHITESPACE_SPLIT, { ...METASPACE, add_prefix_space: true }),
      { type: "Precompiled" },
    ],
    [
      "DeBERTa",
      { ...METASPACE, prepend_scheme: "always" },
      normalizers({ type: "Strip", strip_left: true, strip_right: true }, { type: "NFKC" }),
    ],
    ["ModernBERT", BYTE_LEVEL, { type: "NFC" }],
    ["whatever follows a split at whitespace", pretokenizers(WHITESPACE_SPLIT, SPLIT), null],
    ["one foreign character replaced", WHITESPACE_SPLIT, replaceRegex("[\u0300-\u036f\u200c]")],
  ])("%s", (_name, preTokenizer, normalizer) => {
    expect(allowed(preTokenizer, normalizer)).toBe(true);
  });
});

describe("texts are not cut for", () => {
  it.each([
    ["no pre-tokeniser", null, null],
    ["Metaspace that does not split", { ...METASPACE, split: false }, null],
    ["ByteLevel that does not split", { ...BYTE_LEVEL, use_regex: false }, null],
    ["an unknown expression before spaces are gone", pretokenizers(SPLIT, BYTE_LEVEL), null],
    ["splits at punctuation alone", { type: "Punctuation" }, null],
    [
      "a mark for the first word only, of words without spaces",
      pretokenizers(WHITESPACE_SPLIT, { ...METASPACE, prepend_scheme: "first" }),
      null,
    ],
    ["a prefix for every text", METASPACE, { type: "Prepend", prepend: "▁" }],
    ["an unknown expression replaced", METASPACE, replaceRegex("(a) (b)")],
    ["a letter replaced", METASPACE, { type: "Replace", pattern: { String: "a" }, content: "b" }],
    ["a space stripped that ByteLevel needs", BYTE_LEVEL, { type: "Strip", strip_left: true }],
  ])("%s", (_name, preTokenizer, normalizer) => {
    expect(allowed(preTokenizer, normalizer)).toBe(false);
  });

  it("added tokens that reach over a space", () => {
    expect(allowed(METASPACE, null, { content: "New York" })).toBe(false);
    expect(allowed(METASPACE, null, { content: "<x>", rstrip: true })).toBe(false);
    expect(allowed(METASPACE, null, { content: "    " })).toBe(true);
  });
});

describe("the next cut", () => {
  it("is before one space between letters or digits", () => {
    expect(nextCut("ab cd", 0)).toBe(2);
    expect(nextCut("ab cd e", 3)).toBe(5);
    expect(nextCut("ab cd e", 2)).toBe(2);
    expect(nextCut("a, b. c  d é f 1 Z", 0)).toBe(14);
  });

  it("is nowhere else", () => {
    for (const text of [
      "",
      " ",
      "ab",
      " a",
      "a ",
      "a  b",
      "é b",
      "a é",
      "a\u00a0b",
      "a\tb",
      "a. b",
    ]) {
      expect(nextCut(text, 0)).toBe(-1);
    }
  });
});
