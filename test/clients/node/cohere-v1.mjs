import { CohereClient } from "cohere-ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const client = new CohereClient({ token: key, environment: url });
const { results } = await client.rerank({ model, query, documents, returnDocuments: true });
for (const { index, document } of results) {
  if (document.text !== documents[index]) throw new Error(`document ${index} is another`);
}
tell(results.map(({ index, relevanceScore }) => [index, relevanceScore]));
