import { createTogetherAI } from "@ai-sdk/togetherai";
import { rerank } from "ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const provider = createTogetherAI({ apiKey: key, baseURL: `${url}/v1` });
const { ranking } = await rerank({ model: provider.reranking(model), query, documents });
tell(ranking.map(({ originalIndex, score }) => [originalIndex, score]));
