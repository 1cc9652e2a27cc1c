/**
 * Elasticsearch's service `hugging_face`: the body is that of other servers, the answer an array of
 * exactly these fields; it has a path of its own.
 */
import { z } from "zod";
import type { Wire, WireAbout, WireCall } from "../../../core/ports/wire.js";
import { fullRanking, onlyList } from "./full-ranking.js";
import { activatedScore, place } from "./answer-fields.js";
import { plainCall } from "./plain-call.js";
import { textProblem, textProblemSchema } from "./problems.js";
import {
  count,
  flag,
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
  documents: z.array(text),
  top_n: count.describe("Results to give back; null, 0 or more than there are: all."),
  return_documents: flag.describe("Give the documents back."),
  ...instructionFields,
});

const answerSchema = z.array(
  z.object({ index: place, score: activatedScore, text: z.string().optional() }),
);

const about: WireAbout = {
  summary: "Elasticsearch's inference service `hugging_face`",
  toldBy: "its path",
  body: bodySchema,
  answer: answerSchema,
  problem: textProblemSchema,
  examples: [
    {
      summary: "The best first, with their texts",
      body: {
        query: "who grinds corn?",
        documents: ["a river", "the miller"],
        top_n: 2,
        return_documents: true,
      },
    },
  ],
};

export const huggingFaceWire: Wire = {
  name: "hugging-face",
  about,
  paths: ["/hf/rerank"],
  takes: () => true,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    const documents = read.documents.map(textOf);
    const texts = read.return_documents ? documents : undefined;
    return {
      call: plainCall(
        {
          model: read.model,
          query: textOf(read.query),
          documents,
          topN: read.top_n,
          instruction: instructionOf(read),
        },
        "documents",
        ignoredFields(body, Object.keys(bodySchema.shape)),
      ),
      answer: (ranked) => ({
        body: fullRanking(onlyList(ranked), "score")
          .slice(0, read.top_n)
          .map(({ index, score }) => ({ index, score: new Score(score), text: texts?.[index] })),
      }),
    };
  },
  writeProblem: textProblem,
};
