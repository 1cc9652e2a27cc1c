/** Weaviate's reranker-transformers: scores in the order of the request. */
import { z } from "zod";
import type { Wire, WireAbout, WireCall } from "../../../core/ports/wire.js";
import { inInputOrder, onlyList } from "./full-ranking.js";
import { activatedScore } from "./answer-fields.js";
import { plainCall } from "./plain-call.js";
import { textProblem, textProblemSchema } from "./problems.js";
import {
  ignoredFields,
  instructionFields,
  instructionOf,
  name,
  readBody,
  text,
  textOf,
} from "./read-fields.js";
import { Score } from "./write-json.js";

const bodySchema = z.object({
  model: name,
  query: text,
  documents: z.array(text).describe("The texts."),
  property: z.unknown().optional().describe("The field that Weaviate ranks by; it tells the wire."),
  ...instructionFields,
});

const answerSchema = z.object({
  scores: z
    .array(z.object({ document: z.string(), score: activatedScore }))
    .describe("In the order of the request."),
});

const about: WireAbout = {
  summary: "Weaviate's module `reranker-transformers`",
  toldBy: "`property` beside `documents`",
  body: bodySchema,
  answer: answerSchema,
  problem: textProblemSchema,
  examples: [
    {
      summary: "Scores in the order of the request",
      body: {
        query: "who grinds corn?",
        property: "summary",
        documents: ["a river", "the miller"],
      },
    },
  ],
};

export const weaviateWire: Wire = {
  name: "weaviate",
  about,
  paths: ["/rerank"],
  takes: (body) => "property" in body && body["documents"] !== undefined,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    const documents = read.documents.map(textOf);
    return {
      call: plainCall(
        {
          model: read.model,
          query: textOf(read.query),
          documents,
          instruction: instructionOf(read),
        },
        "documents",
        ignoredFields(body, Object.keys(bodySchema.shape)),
      ),
      answer: (ranked) => ({
        body: {
          scores: inInputOrder(onlyList(ranked), "score").map(({ index, score }) => ({
            document: documents[index],
            score: new Score(score),
          })),
        },
      }),
    };
  },
  writeProblem: textProblem,
};
