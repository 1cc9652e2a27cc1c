import { describe, expect, it } from "vitest";
import { parsePairTemplate } from "../../../src/tokenizers/pair-template.js";

const special = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } });
const text = (id: string, type: number): object => ({ Sequence: { id, type_id: type } });
const CLS_AND_SEP = {
  "[CLS]": { id: "[CLS]", ids: [101], tokens: ["[CLS]"] },
  "[SEP]": { id: "[SEP]", ids: [102], tokens: ["[SEP]"] },
};
const templateOf = (pair: object[], specialTokens: object = CLS_AND_SEP): object => ({
  post_processor: { type: "TemplateProcessing", single: [], pair, special_tokens: specialTokens },
});
const ofSequence = (...processors: object[]): object => ({
  post_processor: { type: "Sequence", processors },
});
const BERT_PAIR = [
  special("[CLS]", 0),
  text("A", 0),
  special("[SEP]", 0),
  text("B", 1),
  special("[SEP]", 1),
];
const BERT_PROCESSING = { type: "BertProcessing", cls: ["[CLS]", 101], sep: ["[SEP]", 102] };
const ROBERTA_PROCESSING = {
  type: "RobertaProcessing",
  cls: ["<s>", 0],
  sep: ["</s>", 2],
  trim_offsets: true,
  add_prefix_space: false,
};
const BERT = { prefix: [101], middle: [102], suffix: [102], segmentTypeIds: true, padId: 0 };
const ROBERTA = { prefix: [0], middle: [2, 2], suffix: [2], segmentTypeIds: false, padId: 0 };

describe("a pair template", () => {
  it("is read from TemplateProcessing with two token types", () => {
    expect(parsePairTemplate(templateOf(BERT_PAIR))).toEqual(BERT);
  });

  it("is read from TemplateProcessing with one token type and two separators", () => {
    const json = templateOf(
      ["<s>", "A", "</s>", "</s>", "B", "</s>"].map((id) =>
        id.length === 1 ? text(id, 0) : special(id, 0),
      ),
      { "<s>": { ids: [0] }, "</s>": { ids: [2] } },
    );
    expect(parsePairTemplate(json)).toEqual(ROBERTA);
  });

  it("is read with a special token of several ids, and without a prefix", () => {
    const json = templateOf([text("A", 0), special("[SEP]", 0), text("B", 0)], {
      "[SEP]": { ids: [7, 8] },
    });
    expect(parsePairTemplate(json)).toMatchObject({ prefix: [], middle: [7, 8], suffix: [] });
  });

  it("is read from BertProcessing", () => {
    expect(parsePairTemplate({ post_processor: BERT_PROCESSING })).toEqual(BERT);
  });

  it("is read from RobertaProcessing", () => {
    expect(parsePairTemplate({ post_processor: ROBERTA_PROCESSING })).toEqual(ROBERTA);
  });

  it("is read from a Sequence with ByteLevel", () => {
    const processors = [{ type: "ByteLevel", trim_offsets: true }, ROBERTA_PROCESSING];
    expect(parsePairTemplate({ post_processor: { type: "Sequence", processors } })).toEqual(
      ROBERTA,
    );
  });
});

describe("the padding id", () => {
  const added_tokens = [
    { id: 5, content: "<pad>" },
    { id: 9, content: "[mine]" },
  ];
  const json = { post_processor: BERT_PROCESSING, added_tokens };

  it("is that of tokenizer_config.json's token, a string or an object", () => {
    expect(parsePairTemplate(json, { pad_token: "[mine]" }).padId).toBe(9);
    expect(parsePairTemplate(json, { pad_token: { content: "[mine]" } }).padId).toBe(9);
  });

  it("is that of tokenizer.json's padding, else of a token that is usually it, else 0", () => {
    expect(parsePairTemplate({ ...json, padding: { pad_id: 3 } }, {}).padId).toBe(3);
    expect(parsePairTemplate(json, { pad_token: null }).padId).toBe(5);
    expect(parsePairTemplate({ post_processor: BERT_PROCESSING }).padId).toBe(0);
  });
});

describe("a tokenizer", () => {
  it.each([
    { what: "that is no object", json: [], reason: "not a tokenizer.json" },
    { what: "without post-processor", json: { post_processor: null }, reason: "absent" },
    { what: "of an unknown kind", json: { post_processor: { type: "New" } }, reason: "a New" },
    {
      what: "with ByteLevel alone",
      json: ofSequence({ type: "ByteLevel" }),
      reason: "0 templates",
    },
    {
      what: "with two templates",
      json: ofSequence(BERT_PROCESSING, ROBERTA_PROCESSING),
      reason: "2 templates",
    },
    {
      what: "with the document first",
      json: templateOf(BERT_PAIR.toReversed()),
      reason: "not A then B",
    },
    { what: "without a document", json: templateOf(BERT_PAIR.slice(0, 3)), reason: "not A then B" },
    {
      what: "whose types change within the query",
      json: templateOf([special("[CLS]", 1), text("A", 0), text("B", 1)]),
      reason: "token types 1+0,1",
    },
    {
      what: "with a special token without ids",
      json: templateOf([special("[X]", 0), text("A", 0), text("B", 0)]),
      reason: "names [X]",
    },
  ])("is refused $what", ({ json, reason }) => {
    const parse = (): unknown => parsePairTemplate(json);
    expect(parse).toThrow(expect.objectContaining({ code: "model_unusable" }));
    expect(parse).toThrow(reason);
  });
});
