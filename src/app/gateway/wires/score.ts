/** vLLM's scores of pairs: one text with one or many, or many with as many; in the order of the request. */
import { z } from "zod";
import { RankmillError } from "../../../core/errors.js";
import type { Wire, WireAbout, WireCall } from "../../../core/ports/wire.js";
import type { Question, Ranked } from "../../../core/rank-call.js";
import { fullRanking, tokensOf, type GivenScore } from "./full-ranking.js";
import { activatedScore, answerId, createdSeconds, place, usage } from "./answer-fields.js";
import { objectProblem, objectProblemSchema } from "./problems.js";
import {
  count,
  firstOf,
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

const texts = z
  .union([text, z.array(text)], { error: "must be a string or an array of strings" })
  .nullish();

const bodySchema = z.object({
  model: name,
  text_1: texts.describe("One text, or as many as in `text_2`; also `queries` or `data_1`."),
  text_2: texts.describe("One text or many; also `documents` or `data_2`."),
  /** Newer names of the two. */
  queries: texts,
  documents: texts,
  data_1: texts,
  data_2: texts,
  truncate_prompt_tokens: count.describe("Tokens of a pair that are read."),
  ...instructionFields,
  raw_scores: flag.describe("Give the model's raw output."),
  use_activation: z.unknown().optional().describe("false: as `raw_scores`."),
});

const answerSchema = z.object({
  id: answerId,
  object: z.literal("list"),
  created: createdSeconds,
  model: z.string(),
  data: z
    .array(z.object({ index: place, object: z.literal("score"), score: activatedScore }))
    .describe("In the order of the request."),
  usage,
});

const about: WireAbout = {
  summary: "vLLM's scores of pairs",
  toldBy: "its path",
  body: bodySchema,
  answer: answerSchema,
  problem: objectProblemSchema,
  examples: [
    {
      summary: "One text with many",
      body: {
        model: "ms-marco-MiniLM-L6-v2",
        text_1: "who grinds corn?",
        text_2: ["a river", "the miller"],
      },
    },
    {
      summary: "Many with as many",
      body: {
        model: "ms-marco-MiniLM-L6-v2",
        text_1: ["who grinds corn?", "where do boats go?"],
        text_2: ["the miller", "a river"],
      },
    },
  ],
};

/** The place of a pair: its query's, and its document's among that query's. */
interface Place {
  readonly question: number;
  readonly document: number;
}

export const scoreWire: Wire = {
  name: "score",
  about,
  paths: ["/score", "/v1/score"],
  takes: () => true,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    const first = listed("text_1", firstOf(read.text_1, read.queries, read.data_1));
    const second = listed("text_2", firstOf(read.text_2, read.documents, read.data_2));
    const { questions, places } = paired(first, second);
    const raw = read.raw_scores || read.use_activation === false;
    const maxLength = read.truncate_prompt_tokens;
    return {
      call: {
        model: read.model,
        questions,
        topN: undefined,
        scoring: {
          instruction: instructionOf(read),
          ...(maxLength !== undefined && { maxLength }),
        },
        fields: { query: "text_1", documents: "text_2" },
        warnings: ignoredFields(body, Object.keys(bodySchema.shape)),
      },
      answer: (ranked, { id, createdSeconds }) => {
        const tokens = tokensOf(ranked.lists);
        const scores = scoresOf(ranked, places, raw ? "logit" : "score");
        return {
          body: {
            id,
            object: "list",
            created: createdSeconds,
            model: ranked.model,
            data: scores.map((score, index) => ({ index, object: "score", score })),
            usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
          },
        };
      },
    };
  },
  writeProblem: objectProblem,
};

function listed(field: string, value: z.output<typeof texts>): readonly string[] {
  if (value == null) {
    throw new RankmillError("invalid_field", `${field}: is missing (a string or array expected)`, {
      field,
    });
  }
  return Array.isArray(value) ? value.map(textOf) : [textOf(value)];
}

/** Pairs with one query are one question: its query is read once. */
function paired(
  first: readonly string[],
  second: readonly string[],
): { questions: Question[]; places: Place[] } {
  if (first.length !== 1 && first.length !== second.length) {
    const message = `text_1: has ${first.length} texts and text_2 ${second.length}: one, or as many`;
    throw new RankmillError("invalid_field", message, { field: "text_1" });
  }
  const numbers = new Map<string, number>();
  const documents: string[][] = [];
  const places = second.map((document, index): Place => {
    const query = (first.length === 1 ? first[0] : first[index]) ?? "";
    const question = numbers.get(query) ?? numbers.size;
    numbers.set(query, question);
    const own = (documents[question] ??= []);
    own.push(document);
    return { question, document: own.length - 1 };
  });
  const questions = [...numbers.keys()].map((query, number) => ({
    query,
    documents: documents[number] ?? [],
  }));
  return { questions, places };
}

function scoresOf(ranked: Ranked, places: readonly Place[], given: GivenScore): Score[] {
  const byDocument = ranked.lists.map(
    (list) => new Map(fullRanking(list, given).map(({ index, score }) => [index, score])),
  );
  return places.map(({ question, document }) => {
    const score = byDocument[question]?.get(document);
    if (score === undefined) throw new RangeError("a pair has no score");
    return new Score(score);
  });
}
