/**
 * The requests of products that no test can run here, as their code sends them, and their answers by the
 * rule that their code applies. Each ranking must equal the client library's.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, type Client, type Ranking } from "../../src/index.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";

const QUERY = "where does the miller grind corn";
const DOCUMENTS = [
  "a river runs past the town",
  "the miller grinds corn in the mill",
  "corn is grown in the field",
  "the mill stands by the river, and the miller grinds all day",
];
const N = DOCUMENTS.length;

/** A number per document, by its place; what a client does with the answer. */
type Read = (answer: never) => Map<number, number>;

/** Best first by `relevance_score`; OpenSearch casts it to Double, which takes no `1`. */
const fromResults: Read = (answer: { results: { index: number; relevance_score: number }[] }) =>
  new Map(answer.results.map(({ index, relevance_score }) => [index, relevance_score]));
const fromData: Read = (answer: { data: { index: number; relevance_score: number }[] }) =>
  new Map(answer.data.map(({ index, relevance_score }) => [index, relevance_score]));
const fromArray: Read = (answer: { index: number; score: number }[]) =>
  new Map(answer.map(({ index, score }) => [index, score]));
const fromRankings: Read = (answer: { rankings: { index: number; logit: number }[] }) =>
  new Map(answer.rankings.map(({ index, logit }) => [index, logit]));
/** Weaviate and vLLM's scores go by position. */
const fromScores: Read = (answer: { scores: { document: string; score: number }[] }) => {
  expect(answer.scores.map(({ document }) => document)).toEqual(DOCUMENTS);
  return new Map(answer.scores.map(({ score }, index) => [index, score]));
};
const fromScoreData: Read = (answer: { data: { score: number }[] }) =>
  new Map(answer.data.map(({ score }, index) => [index, score]));

const documents = DOCUMENTS;
const model = "builtin-bm25";

const REQUESTS: readonly [string, string, object, Read][] = [
  [
    "Cohere v2 (Python, null fields)",
    "/v2/rerank",
    { model, query: QUERY, documents, top_n: null, max_tokens_per_doc: null },
    fromResults,
  ],
  [
    "Cohere v1 with object documents",
    "/v1/rerank",
    {
      model,
      query: QUERY,
      documents: documents.map((text) => ({ text })),
      rank_fields: ["text"],
      return_documents: true,
      max_chunks_per_doc: null,
    },
    fromResults,
  ],
  [
    "@ai-sdk/cohere",
    "/v2/rerank",
    { model, query: QUERY, documents, top_n: N, max_tokens_per_doc: undefined },
    fromResults,
  ],
  [
    "@ai-sdk/voyage",
    "/v1/rerank",
    { model, query: QUERY, documents, top_k: N, return_documents: false, truncation: true },
    fromData,
  ],
  [
    "@ai-sdk/togetherai",
    "/v1/rerank",
    { model, query: QUERY, documents, top_n: N, rank_fields: null, return_documents: false },
    fromResults,
  ],
  [
    "Haystack's Jina ranker",
    "/v1/rerank",
    { model, query: QUERY, documents, top_n: N },
    fromResults,
  ],
  [
    "LiteLLM hosted_vllm",
    "/rerank",
    {
      model,
      query: QUERY,
      documents,
      return_documents: true,
      max_tokens_per_doc: null,
      instruction: null,
    },
    fromResults,
  ],
  [
    "LiteLLM huggingface",
    "/rerank",
    {
      query: QUERY,
      texts: documents,
      top_n: N,
      return_text: true,
      raw_scores: false,
      truncate: false,
      model,
    },
    fromArray,
  ],
  ["LlamaIndex TEI", "/rerank", { query: QUERY, texts: documents, model }, fromArray],
  [
    "Haystack's TEI ranker",
    "/rerank",
    {
      query: QUERY,
      texts: documents,
      raw_scores: true,
      truncate: true,
      truncation_direction: "Right",
      model,
    },
    fromArray,
  ],
  [
    "Dify's openai_api_compatible",
    "/rerank",
    { model, query: QUERY, documents, top_n: N },
    fromResults,
  ],
  [
    "Dify's Hugging Face TEI",
    "/rerank",
    { query: QUERY, texts: documents, return_text: true, model },
    fromArray,
  ],
  ["RAGFlow's Jina", "/v1/rerank", { model, query: QUERY, documents, top_n: N }, fromResults],
  [
    "RAGFlow's Xinference",
    "/v1/rerank",
    { model, query: QUERY, documents, return_documents: "true", return_len: "true" },
    fromResults,
  ],
  [
    "RAGFlow's SiliconFlow",
    "/v1/rerank",
    {
      model,
      query: QUERY,
      documents,
      top_n: N,
      return_documents: false,
      max_chunks_per_doc: 1,
      overlap_tokens: 80,
    },
    fromResults,
  ],
  [
    "RAGFlow's NVIDIA",
    "/reranking",
    {
      model,
      query: { text: QUERY },
      passages: documents.map((text) => ({ text })),
      truncate: "END",
      top_n: N,
    },
    fromRankings,
  ],
  ["Open WebUI", "/v1/rerank", { model, query: QUERY, documents, top_n: N }, fromResults],
  [
    "LibreChat",
    "/v1/rerank",
    {
      model: "jina-reranker-v2-base-multilingual",
      query: QUERY,
      documents,
      top_n: N,
      return_documents: true,
    },
    fromResults,
  ],
  ["Continue", "/rerank", { query: QUERY, texts: documents, truncate: true, model }, fromArray],
  [
    "Flowise",
    "/v1/rerank",
    { model, topN: N, query: QUERY, documents, max_chunks_per_doc: 1, return_documents: false },
    fromResults,
  ],
  [
    "Weaviate reranker-transformers",
    "/rerank",
    { query: QUERY, documents, property: "text", model },
    fromScores,
  ],
  [
    "Weaviate reranker-cohere",
    "/v2/rerank",
    { model, query: QUERY, documents, return_documents: false },
    fromResults,
  ],
  [
    "Weaviate reranker-nvidia",
    "/v1/retrieval/nvidia/reranking",
    {
      model,
      query: { text: QUERY },
      passages: documents.map((text) => ({ text })),
      truncate: "NONE",
    },
    fromRankings,
  ],
  [
    "LlamaIndex and Haystack NVIDIA",
    "/v1/ranking",
    { model, query: { text: QUERY }, passages: documents.map((text) => ({ text })) },
    fromRankings,
  ],
  [
    "OpenSearch's connector",
    "/v1/rerank",
    { documents, query: QUERY, model, top_n: N },
    fromResults,
  ],
  [
    "Elasticsearch hugging_face",
    "/hf/rerank",
    { documents, query: QUERY, top_n: N, return_documents: true },
    fromArray,
  ],
  ["Milvus vllm", "/rerank", { query: QUERY, documents, truncate_prompt_tokens: 512 }, fromResults],
  [
    "Milvus tei",
    "/rerank",
    { query: QUERY, texts: documents, truncate: true, truncation_direction: "right" },
    fromArray,
  ],
  ["vLLM's score", "/v1/score", { model, text_1: QUERY, text_2: documents }, fromScoreData],
  [
    "vLLM's score of pairs",
    "/score",
    { model, text_1: documents.map(() => QUERY), text_2: documents },
    fromScoreData,
  ],
];

describe("the clients of other servers", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;
  let client: Client;
  let ranking: Ranking;

  beforeAll(async () => {
    await fleet.worker("--lanes 1");
    gateway = await startGateway(
      fleet,
      "--default-model builtin-bm25 --alias jina-reranker-v2-base-multilingual=builtin-bm25",
    );
    client = await createClient({ redisUrl: fleet.server.url });
    const job = await client.enqueue({ model, query: QUERY, documents });
    ranking = await job.result({ timeoutMs: 60_000 });
  });
  afterAll(() => client.close());

  it.each(REQUESTS)("%s gets the client library's ranking", async (name, path, body, read) => {
    const response = await gateway.post(path, body);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    for (const [, number] of text.matchAll(/"(?:relevance_score|score|logit)":(-?[\d.e+-]+)/g)) {
      expect(number).toMatch(/[.e]/);
    }
    const scores = read(JSON.parse(text) as never);
    const raw = read === fromRankings || name.includes("TEI ranker");
    expect(Object.fromEntries(scores)).toEqual(
      Object.fromEntries(
        ranking.results.map((one) => [one.index, raw ? one.logit : one.relevanceScore]),
      ),
    );
    expect(scores.size).toBe(N);
  });

  it("tells TEI's and Weaviate's clients what they ask before", async () => {
    const info = await fetch(`${gateway.url}/info`);
    expect(await info.json()).toMatchObject({
      model_id: model,
      model_type: { reranker: {} },
      max_input_length: expect.any(Number) as number,
      max_client_batch_size: 100_000,
    });
    expect((await fetch(`${gateway.url}/.well-known/ready`)).status).toBe(204);
    expect((await fetch(`${gateway.url}/meta`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  });

  it("names the fields that it ignores", async () => {
    const body = { model, query: QUERY, documents, return_len: "true", overlap_tokens: 80 };
    const response = await gateway.post("/v1/rerank", body);
    expect(await response.json()).toMatchObject({
      meta: { warnings: ["ignored field: return_len", "ignored field: overlap_tokens"] },
    });
    expect(response.headers.get("x-rankmill-warnings")).toContain("return_len");
  });

  it("answers a model that nobody serves with 404, in every form, and lists those served", async () => {
    for (const [path, body] of [
      ["/v1/rerank", { model: "none", query: QUERY, documents }],
      ["/rerank", { model: "none", query: QUERY, texts: documents }],
    ] as const) {
      const response = await gateway.post(path, body);
      expect(response.status).toBe(404);
      expect(JSON.stringify(await response.json())).toContain("served are: builtin-bm25");
    }
  });
});
