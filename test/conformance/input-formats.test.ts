import { expect, it } from "vitest";
import { flagEmbedding } from "../../src/inputs/formats/flagembedding.js";
import { job } from "../../src/inputs/formats/job.js";
import { openAiBatch } from "../../src/inputs/formats/openai-batch.js";
import { otherNames } from "../../src/inputs/formats/other-names.js";
import { pair } from "../../src/inputs/formats/pair.js";
import { inputFormats } from "../../src/inputs/formats/registry.js";
import { testInputFormat, type InputFormatExamples } from "./input-format.suite.js";

const query = "query";
const documents = ["first", { id: "d", text: "second" }];

const EXAMPLES: Readonly<Record<string, InputFormatExamples>> = {
  [job.name]: {
    good: [
      { id: "a", query, documents },
      { custom_id: "a", query, documents, top_k: 1, metadata: { k: 1 }, odd: true },
    ],
    needs: "query",
  },
  [openAiBatch.name]: {
    good: [
      { custom_id: "a", method: "POST", url: "/v1/rerank", body: { model: "m", query, documents } },
      { body: { query, documents, top_n: 1 }, extra: 1 },
      { url: "/v1/score", body: { model: "m", text_1: query, text_2: ["first", "second"] } },
      { url: "/score", body: { text_1: [query], text_2: "first", extra: 1 } },
      { url: "/v1/score", body: { text_1: [query, query], text_2: ["first", "second"] } },
      { url: "/v1/score", body: { queries: query, documents: ["first", "second"] } },
    ],
    needs: "body",
  },
  [pair.name]: {
    good: [
      { id: "a", query, document: "first" },
      { custom_id: "a", query, document: { id: "d", text: "first" }, metadata: {} },
    ],
    needs: "query",
  },
  [otherNames.name]: {
    good: [
      { id: "a", question: query, passages: documents, top_n: 1, metadata: {} },
      { custom_id: "a", query, context: "first", extra: 1 },
    ],
    needs: "question",
  },
  [flagEmbedding.name]: {
    good: [
      { query, pos: ["first"], neg: ["second", "third"], prompt: "p" },
      { id: "a", query, neg: ["first"], prompt: "p" },
    ],
    needs: "query",
  },
};

for (const format of inputFormats()) {
  const examples = EXAMPLES[format.name];
  if (examples !== undefined) testInputFormat(format, examples);
}

it.each([
  [{ text_1: [query, query], text_2: ["a"] }, "has 2 texts and text_2 1: one, or as many"],
  [{ text_1: [], text_2: ["a"] }, "has 0 texts and text_2 1"],
  [{ text_1: [query, "another"], text_2: ["a", "b"] }, "must be one text"],
])("a line of scores whose pairs are not of one text is refused by name: %j", (body, message) => {
  expect(openAiBatch.toRequest({ url: "/v1/score", body })).toMatchObject({
    status: "unusable",
    field: "body.text_1",
    message: expect.stringContaining(message) as string,
  });
});

it("every input format of the registry runs the suite", () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(
    inputFormats()
      .map(({ name }) => name)
      .sort(),
  );
});
