/** NVIDIA NIM's reranking: logits, best first. */
import { z } from "zod";
import type { Wire, WireAbout, WireCall } from "../../../core/ports/wire.js";
import { fullRanking, onlyList, tokensOf } from "./full-ranking.js";
import { place, usage } from "./answer-fields.js";
import { plainCall } from "./plain-call.js";
import { objectProblem, objectProblemSchema } from "./problems.js";
import {
  ALWAYS_CUT,
  count,
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
  passages: z.array(text).describe("The documents."),
  top_n: count.describe("Results to give back; null, 0 or more than there are: all."),
  truncate: z.unknown().optional().describe(ALWAYS_CUT),
  ...instructionFields,
});

const answerSchema = z.object({
  rankings: z.array(
    z.object({ index: place, logit: z.number().describe("The model's raw output.") }),
  ),
  usage: usage.omit({ completion_tokens: true }),
});

const about: WireAbout = {
  summary: "NVIDIA NIM: LlamaIndex' `NVIDIARerank`, Haystack's `NvidiaRanker`, Weaviate",
  toldBy: "`passages`",
  body: bodySchema,
  answer: answerSchema,
  problem: objectProblemSchema,
  examples: [
    {
      summary: "Logits, the best first",
      body: {
        model: "ms-marco-MiniLM-L6-v2",
        query: { text: "who grinds corn?" },
        passages: [{ text: "a river" }, { text: "the miller" }],
        truncate: "END",
      },
    },
  ],
};

export const nimWire: Wire = {
  name: "nim",
  about,
  paths: [
    "/v1/ranking",
    "/v1/retrieval/nvidia/reranking",
    "/ranking",
    "/reranking",
    "/v1/reranking",
    "/rerank",
  ],
  takes: (body) => body["passages"] !== undefined,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    return {
      call: plainCall(
        {
          model: read.model,
          query: textOf(read.query),
          documents: read.passages.map(textOf),
          topN: read.top_n,
          instruction: instructionOf(read),
        },
        "passages",
        ignoredFields(body, Object.keys(bodySchema.shape)),
      ),
      answer: (ranked) => {
        const tokens = tokensOf(ranked.lists);
        return {
          body: {
            rankings: fullRanking(onlyList(ranked), "logit")
              .slice(0, read.top_n)
              .map(({ index, score }) => ({ index, logit: new Score(score) })),
            usage: { prompt_tokens: tokens, total_tokens: tokens },
          },
        };
      },
    };
  },
  writeProblem: objectProblem,
};
