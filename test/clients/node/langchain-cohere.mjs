import { CohereRerank } from "@langchain/cohere";
import { CohereClient } from "cohere-ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const client = new CohereClient({ token: key, environment: url });
const reranker = new CohereRerank({ client, model, topN: documents.length });
const results = await reranker.rerank(documents, query);
tell(results.map(({ index, relevanceScore }) => [index, relevanceScore]));
