/** The bodies and answers of the wire of documents. */
import { z } from "zod";
import type { WireAbout } from "../../../core/ports/wire.js";
import { activatedScore, answerId, createdSeconds, place, usage } from "./answer-fields.js";
import { objectProblemSchema } from "./problems.js";
import { ALWAYS_CUT, count, flag, instructionFields, name, text } from "./read-fields.js";

export const bodySchema = z.object({
  model: name,
  query: text,
  documents: z
    .array(
      z.union([z.string(), z.record(z.string(), z.unknown())], {
        error: "must be a string or an object",
      }),
    )
    .describe("Texts, or objects with a `text` or the fields that `rank_fields` names."),
  top_n: count.describe("Results to give back; null, 0 or more than there are: all."),
  topN: count.describe("Another name of `top_n`."),
  top_k: count.describe("Another name of `top_n`."),
  return_documents: flag.describe("Give the documents back."),
  returnDocuments: flag.describe("Another name of `return_documents`."),
  truncation: z.unknown().optional().describe(ALWAYS_CUT),
  max_tokens_per_doc: count.describe("Tokens of each document that are read."),
  max_doc_length: count.describe("Another name of `max_tokens_per_doc`."),
  max_chunks_per_doc: count.describe("Windows in which a long document is read; the best counts."),
  /** vLLM's; -1 is the model's own. */
  truncate_prompt_tokens: z
    .unknown()
    .optional()
    .describe("Tokens of query and document together; -1: as many as the model reads."),
  rank_fields: z
    .array(z.string())
    .nullish()
    .describe("Fields of the documents that are read, each on a line of its own."),
  ...instructionFields,
  raw_scores: flag.describe("Give the model's raw output."),
  use_activation: z.unknown().optional().describe("false: as `raw_scores`."),
});

const result = z.object({
  index: place,
  relevance_score: activatedScore,
});

const answerSchema = z.object({
  id: answerId,
  object: z.literal("rerank"),
  model: z.string().describe("The served model's own name."),
  created: createdSeconds,
  results: z
    .array(result.extend({ document: z.object({ text: z.string() }).optional() }))
    .describe("Best first. A document that could not be scored comes last."),
  data: z
    .array(result.extend({ document: z.string().optional() }))
    .optional()
    .describe("The same for Voyage's clients, unless `top_n` or `topN` came."),
  usage,
  meta: z.object({
    api_version: z.object({ version: z.enum(["1", "2"]) }),
    billed_units: z.object({ search_units: z.int().min(1) }),
    tokens: z.object({ input_tokens: z.int().min(0), output_tokens: z.literal(0) }),
    warnings: z
      .array(z.string())
      .describe("Fields that were ignored, documents that were cut or could not be scored."),
  }),
});

const QUESTION = {
  model: "ms-marco-MiniLM-L6-v2",
  query: "who grinds corn?",
  documents: ["a river", "the miller"],
};

export const about: WireAbout = {
  summary:
    "Cohere v1 and v2, Jina, Voyage, vLLM, Infinity, LocalAI, llama.cpp, SiliconFlow, Together",
  toldBy: "`documents`",
  body: bodySchema,
  answer: answerSchema,
  problem: objectProblemSchema,
  examples: [
    { summary: "The best of a list", body: { ...QUESTION, top_n: 1 } },
    {
      summary: "As Jina's clients ask, with the documents given back",
      body: { ...QUESTION, top_n: 2, return_documents: true },
    },
    {
      summary: "As Voyage's clients ask",
      body: { ...QUESTION, top_k: 1, truncation: true },
    },
    {
      summary: "Objects, of which two fields are read",
      body: {
        query: "who grinds corn?",
        documents: [
          { title: "The mill", body: "The miller grinds corn.", year: 1870 },
          { title: "The river", body: "Boats go by." },
        ],
        rank_fields: ["title", "body"],
      },
    },
  ],
};
