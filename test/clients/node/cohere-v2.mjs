import { CohereClientV2 } from "cohere-ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const client = new CohereClientV2({ token: key, environment: url });
const { results } = await client.rerank({ model, query, documents });
tell(results.map(({ index, relevanceScore }) => [index, relevanceScore]));
