import { createCohere } from "@ai-sdk/cohere";
import { rerank } from "ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const provider = createCohere({ apiKey: key, baseURL: `${url}/v2` });
const { ranking } = await rerank({ model: provider.reranking(model), query, documents });
tell(ranking.map(({ originalIndex, score }) => [originalIndex, score]));
