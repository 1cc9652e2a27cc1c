import { describe, expect, it } from "vitest";
import { cutRulesOf, isCut, nextCut, type CutRules } from "../../../src/tokenizers/cuts.js";
import { tokenizerJsonSchema } from "../../../src/tokenizers/tokenizer-json.js";

type Stage = Readonly<Record<string, unknown>>;

const METASPACE = { type: "Metaspace", replacement: "▁" };
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
const WHITESPACE_SPLIT = { type: "WhitespaceSplit" };
const SPLIT = { type: "Split", pattern: { Regex: "\\p{L}+" }, behavior: "Isolated", invert: false };
const QWEN_SPLIT = {
  ...SPLIT,
  pattern: {
    Regex: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  },
};
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
  return rulesOf({ added_tokens, pre_tokenizer, normalizer }).spaces;
}

function rulesOf(json: object): CutRules {
  return cutRulesOf(tokenizerJsonSchema.parse({ model: {}, ...json }));
}

describe("the texts of a tokenizer", () => {
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
    ["Qwen", pretokenizers(QWEN_SPLIT, { ...BYTE_LEVEL, use_regex: false }), { type: "NFC" }],
    ["one foreign character replaced", WHITESPACE_SPLIT, replaceRegex("[\u0300-\u036f\u200c]")],
  ])("may be cut: %s", (_name, preTokenizer, normalizer) => {
    expect(allowed(preTokenizer, normalizer)).toBe(true);
  });
});

describe("the texts of a tokenizer that needs them whole", () => {
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
  ])("are not cut: %s", (_name, preTokenizer, normalizer) => {
    expect(allowed(preTokenizer, normalizer)).toBe(false);
  });

  it("are not cut if an added token reaches over a space", () => {
    expect(allowed(METASPACE, null, { content: "New York" })).toBe(false);
    expect(allowed(METASPACE, null, { content: "<x>", rstrip: true })).toBe(false);
    expect(allowed(METASPACE, null, { content: "    " })).toBe(true);
  });
});

const cutsOf = (text: string, rules: CutRules): string =>
  Array.from(text, (_, at) => (at > 0 && isCut(text, rules, at) ? "|" : "") + text.charAt(at)).join(
    "",
  );

describe("a cut", () => {
  const spaces = rulesOf({ pre_tokenizer: METASPACE });
  const bert = rulesOf({
    pre_tokenizer: { type: "BertPreTokenizer" },
    normalizer: { type: "BertNormalizer", handle_chinese_chars: true },
    added_tokens: [{ id: 1, content: "<b>" }],
  });

  it("is before one space between letters, digits, ideographs or punctuation", () => {
    expect(cutsOf("ab cd, ef", spaces)).toBe("ab| cd,| ef");
    expect(cutsOf("слово дело 漢字 é 1", spaces)).toBe("слово| дело| 漢字| é| 1");
    expect(nextCut("ab cd e", spaces, 3)).toBe(5);
    expect(nextCut("ab cd e", spaces, 2)).toBe(2);
    expect(nextCut("ab cd e", spaces, 3, 5)).toBe(-1);
  });

  it("is nowhere else if words end at spaces alone", () => {
    for (const text of [
      "",
      " ",
      "ab",
      " a",
      "a ",
      "a  b",
      "a\u00a0b",
      "a\tb",
      "漢字",
      "a \u0301b",
      "a\u200d b",
    ]) {
      expect(cutsOf(text, spaces)).toBe(text);
    }
  });

  it("is at whitespace, beside punctuation and beside ideographs for BERT", () => {
    expect(cutsOf("a\tb  漢字。c,d e\u0301f 7x", bert)).toBe(
      "a|\tb| | 漢|字|。|c|,|d| e\u0301f| 7x",
    );
  });

  it("is never inside an added token, nor beside a mark that could belong to what is cut off", () => {
    expect(cutsOf("a<b>c", bert)).toBe("a|<b>|c");
    expect(cutsOf("漢\u0301字", bert)).toBe("漢\u0301字");
  });
});
