/** Cohere v1 and v2, Jina, Voyage, vLLM, Infinity, LocalAI, llama.cpp, SiliconFlow and Together: one body, one answer. */
import type { z } from "zod";
import { RankmillError } from "../../../core/errors.js";
import { MOST_WINDOWS } from "../../../core/scoring.js";
import type {
  AnswerFacts,
  Wire,
  WireAnswer,
  WireBody,
  WireCall,
} from "../../../core/ports/wire.js";
import type { RankCall, Ranked, RankedList } from "../../../core/rank-call.js";
import {
  fullRanking,
  onlyList,
  tokensOf,
  type GivenResult,
  type GivenScore,
} from "./full-ranking.js";
import { about, bodySchema } from "./about-documents.js";
import { objectProblem } from "./problems.js";
import { firstOf, ignoredFields, instructionOf, readBody, textOf } from "./read-fields.js";
import { Score } from "./write-json.js";

type Body = z.output<typeof bodySchema>;

/** Searches that Cohere counts: one per query and hundred documents. */
const DOCUMENTS_PER_SEARCH = 100;

export const documentsWire: Wire = {
  name: "documents",
  about,
  paths: ["/v1/rerank", "/v2/rerank", "/rerank", "/v1/reranking", "/reranking"],
  takes: (body) => body["documents"] !== undefined,
  read(body, path): WireCall {
    const read = readBody(bodySchema, body);
    const documents = read.documents.map((document, index) =>
      documentText(document, read.rank_fields ?? [], index),
    );
    const call = callOf(read, documents, body);
    return { call, answer: answerOf(read, call, body, path) };
  },
  writeProblem: objectProblem,
};

function callOf(read: Body, documents: readonly string[], body: WireBody): RankCall {
  const chunks = read.max_chunks_per_doc ?? 1;
  const promptTokens = Number(read.truncate_prompt_tokens ?? 0);
  return {
    model: read.model,
    questions: [{ query: textOf(read.query), documents }],
    topN: firstOf(read.top_n, read.topN, read.top_k),
    scoring: {
      maxTokensPerDoc: firstOf(read.max_tokens_per_doc, read.max_doc_length),
      instruction: instructionOf(read),
      ...(promptTokens >= 1 && { maxLength: Math.floor(promptTokens) }),
      ...(chunks > 1 && { longDocuments: "windows", maxWindows: Math.min(chunks, MOST_WINDOWS) }),
    },
    fields: { query: "query", documents: "documents" },
    warnings: [
      ...ignoredFields(body, Object.keys(bodySchema.shape)),
      ...fieldsNobodyHas(read).map((field) => `rank_fields: no document has "${field}"`),
    ],
  };
}

function answerOf(read: Body, call: RankCall, body: WireBody, path: string): WireCall["answer"] {
  const given: GivenScore = read.raw_scores || isFalse(read.use_activation) ? "logit" : "score";
  // Voyage's clients read `data`. They send no `top_n`, and `top_k` or `truncation` only if they are told to.
  const forVoyage = !("top_n" in body || "topN" in body);
  const withTexts = read.return_documents || read.returnDocuments;
  const texts = withTexts ? (call.questions[0]?.documents ?? []) : undefined;
  const { topN } = call;
  return (ranked, facts) => {
    const list = onlyList(ranked);
    const results = fullRanking(list, given).slice(0, topN);
    const data = forVoyage
      ? results.map((one) => ({ ...resultOf(one), document: texts?.[one.index] }))
      : undefined;
    return superset({ results, texts, data, ranked, list, facts, path });
  };
}

function superset(parts: {
  readonly results: readonly GivenResult[];
  readonly texts: readonly string[] | undefined;
  readonly data: unknown;
  readonly ranked: Ranked;
  readonly list: RankedList;
  readonly facts: AnswerFacts;
  readonly path: string;
}): WireAnswer {
  const { results, texts, data, ranked, list, facts, path } = parts;
  const tokens = tokensOf(ranked.lists);
  const documents = list.results.length + list.failed.length;
  return {
    body: {
      id: facts.id,
      object: "rerank",
      model: ranked.model,
      created: facts.createdSeconds,
      results: results.map((one) => ({
        ...resultOf(one),
        ...(texts && { document: { text: texts[one.index] } }),
      })),
      data,
      usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
      meta: {
        api_version: { version: path.startsWith("/v2/") ? "2" : "1" },
        billed_units: { search_units: Math.max(1, Math.ceil(documents / DOCUMENTS_PER_SEARCH)) },
        tokens: { input_tokens: tokens, output_tokens: 0 },
        warnings: facts.warnings,
      },
    },
  };
}

function resultOf({ index, score }: GivenResult): { index: number; relevance_score: Score } {
  return { index, relevance_score: new Score(score) };
}

const MOST_NAME_CHARS = 64;
const MOST_NAMED = 20;

/** Fields that were named in vain, as a mistyped one is. */
function fieldsNobodyHas({ rank_fields: fields, documents }: Body): string[] {
  const has = (field: string): boolean =>
    documents.some((document) => typeof document !== "string" && Object.hasOwn(document, field));
  const lacking = (fields ?? []).slice(0, MOST_NAMED).filter((field) => !has(field));
  return lacking.map((field) => field.slice(0, MOST_NAME_CHARS));
}

/** The text of a document; of an object, its `rank_fields` if it has any. */
function documentText(
  document: Body["documents"][number],
  rankFields: readonly string[],
  index: number,
): string {
  if (typeof document === "string") return document;
  const fields = rankFields.flatMap((field) => {
    const value = document[field];
    if (typeof value === "string") return [value];
    return typeof value === "number" || typeof value === "boolean" ? [String(value)] : [];
  });
  if (fields.length > 0) return fields.join("\n");
  const { text: whole } = document;
  if (typeof whole === "string") return whole;
  const field = `documents[${index}]`;
  throw new RankmillError("invalid_field", `${field}: must be a string or {text}`, { field });
}

function isFalse(value: unknown): boolean {
  return value === false || value === "false";
}
