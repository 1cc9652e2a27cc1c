import { modelList, teiInfo, weaviateMeta } from "../../answers/model.js";
import { EXAMPLE_MODEL } from "../examples.js";
import { jsonAnswer } from "../json-answer.js";
import type { Operation } from "../operation.js";
import { OF_ALL } from "../problems.js";

const REVISION = "c5ee24cb16019beea0893ab7796b1df96625c6b8";

const MODELS = {
  object: "list",
  data: [{ id: EXAMPLE_MODEL, object: "model", owned_by: "rankmill", created: 1_796_000_000 }],
};

const INFO = {
  model_id: EXAMPLE_MODEL,
  model_sha: REVISION,
  model_dtype: "fp32",
  model_type: { reranker: { id2label: { "0": "LABEL_0" }, label2id: { LABEL_0: 0 } } },
  max_input_length: 512,
  max_client_batch_size: 100_000,
  max_batch_tokens: 512,
  max_concurrent_requests: null,
  auto_truncate: true,
  version: "0.3.0",
};

const META = { model: EXAMPLE_MODEL, revision: REVISION, type: "rankmill" };

export const modelOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/models",
    id: "listModels",
    group: "Models",
    summary: "The models that are served, as OpenAI's clients list them",
    scopes: [],
    answers: [jsonAnswer(200, "The models with a worker.", modelList, MODELS)],
    problems: OF_ALL,
  },
  {
    method: "get",
    path: "/info",
    id: "getInfo",
    group: "Models",
    summary: "The model of requests that name none, as TEI tells of its own",
    scopes: [],
    answers: [jsonAnswer(200, "The model.", teiInfo, INFO)],
    problems: [...OF_ALL, 404],
  },
  {
    method: "get",
    path: "/meta",
    id: "getMeta",
    group: "Models",
    summary: "The same, as Weaviate's reranker tells of its own",
    scopes: [],
    answers: [jsonAnswer(200, "The model.", weaviateMeta, META)],
    problems: [...OF_ALL, 404],
  },
];
