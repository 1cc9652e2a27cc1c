import { createVoyage } from "@ai-sdk/voyage";
import { rerank } from "ai";
import { task, tell } from "./task.mjs";

const { url, key, model, query, documents } = task;
const provider = createVoyage({ apiKey: key, baseURL: `${url}/v1` });
const { ranking } = await rerank({ model: provider.reranking(model), query, documents });
tell(ranking.map(({ originalIndex, score }) => [originalIndex, score]));
