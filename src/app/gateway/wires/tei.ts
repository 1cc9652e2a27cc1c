/** Hugging Face's Text Embeddings Inference: a bare array, best first. */
import { z } from "zod";
import type { AnswerFacts, Wire, WireAbout, WireCall } from "../../../core/ports/wire.js";
import type { Ranked } from "../../../core/rank-call.js";
import { fullRanking, onlyList, tokensOf } from "./full-ranking.js";
import { activatedScore, place } from "./answer-fields.js";
import { plainCall } from "./plain-call.js";
import { textProblem, textProblemSchema } from "./problems.js";
import {
  ALWAYS_CUT,
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
  texts: z.array(text).describe("The documents."),
  ...instructionFields,
  /** TEI has no such field; LiteLLM sends it. */
  top_n: count.describe("Results to give back; null, 0 or more than there are: all."),
  raw_scores: flag.describe("Give the model's raw output."),
  return_text: flag.describe("Give the texts back."),
  truncate: z.unknown().optional().describe(ALWAYS_CUT),
  truncation_direction: z.unknown().optional().describe("`Right`; texts are cut at their end."),
});

const answerSchema = z.array(
  z.object({ index: place, text: z.string().optional(), score: activatedScore }),
);

const IF_KNOWN =
  "Absent if an earlier request's work is joined, or a worker older than 0.3.0 did it.";

const about: WireAbout = {
  summary:
    "Text Embeddings Inference: Hugging Face's server, LlamaIndex, Haystack, LiteLLM, Continue, Dify, Milvus",
  toldBy: "`texts`",
  body: bodySchema,
  answer: answerSchema,
  problem: textProblemSchema,
  headers: {
    "x-compute-type": "`rankmill`.",
    "x-compute-characters": "Characters of the query and the texts.",
    "x-compute-tokens": "Tokens that the model read.",
    "x-compute-time": "Milliseconds from the request to its answer.",
    "x-total-time": "The same.",
    "x-tokenization-time": `Milliseconds in which texts became tokens. ${IF_KNOWN}`,
    "x-inference-time": `Milliseconds for which the model had the texts. ${IF_KNOWN}`,
    "x-queue-time": `The rest: waits for a worker and for the model, and the way there. ${IF_KNOWN}`,
  },
  examples: [
    {
      summary: "The best first",
      body: { query: "who grinds corn?", texts: ["a river", "the miller"] },
    },
    {
      summary: "Raw scores, with the texts",
      body: {
        query: "who grinds corn?",
        texts: ["a river", "the miller"],
        raw_scores: true,
        return_text: true,
        truncate: true,
      },
    },
  ],
};

export const teiWire: Wire = {
  name: "tei",
  about,
  paths: ["/rerank", "/v1/rerank", "/v1/reranking", "/reranking"],
  takes: (body) => body["texts"] !== undefined,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    const documents = read.texts.map(textOf);
    const characters = documents.reduce((sum, one) => sum + one.length, textOf(read.query).length);
    const texts = read.return_text ? documents : undefined;
    return {
      call: plainCall(
        {
          model: read.model,
          query: textOf(read.query),
          documents,
          topN: read.top_n,
          instruction: instructionOf(read),
        },
        "texts",
        [
          ...ignoredFields(body, Object.keys(bodySchema.shape)),
          ...directionWarning(read.truncation_direction),
        ],
      ),
      answer: (ranked, facts) => ({
        body: fullRanking(onlyList(ranked), read.raw_scores ? "logit" : "score")
          .slice(0, read.top_n)
          .map(({ index, score }) => ({ index, text: texts?.[index], score: new Score(score) })),
        headers: timeHeaders(ranked, facts, characters),
      }),
    };
  },
  writeProblem: textProblem,
};

function directionWarning(direction: unknown): string[] {
  const left = typeof direction === "string" && direction.toLowerCase() === "left";
  return left ? ["truncation_direction: texts are cut at their end"] : [];
}

/** TEI's headers of times and sizes, as far as they are known here. Times in milliseconds. */
function timeHeaders(
  ranked: Ranked,
  { tookMs }: AnswerFacts,
  characters: number,
): Record<string, string> {
  const ms = String(Math.round(tookMs));
  return {
    "x-compute-type": "rankmill",
    "x-compute-characters": String(characters),
    "x-compute-tokens": String(tokensOf(ranked.lists)),
    "x-compute-time": ms,
    "x-total-time": ms,
    ...stageHeaders(ranked, tookMs),
  };
}

/** Headers of the stages, if their times are known and lie within the request. */
function stageHeaders({ times }: Ranked, tookMs: number): Record<string, string> {
  if (times === undefined) return {};
  const { tokenizationMs, inferenceMs } = times;
  const queueMs = tookMs - tokenizationMs - inferenceMs;
  if (queueMs < 0) return {};
  return {
    "x-tokenization-time": String(Math.round(tokenizationMs)),
    "x-queue-time": String(Math.round(queueMs)),
    "x-inference-time": String(Math.round(inferenceMs)),
  };
}
