import { z } from "zod";
import { named } from "../openapi/named.js";
import { count, time } from "./common.js";

export const modelList = named(
  "ModelList",
  z.object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        id: z.string().describe("A name by which a request gets exactly this model."),
        object: z.literal("model"),
        owned_by: z.literal("rankmill"),
        created: time,
      }),
    ),
  }),
);

export const teiInfo = named(
  "TeiInfo",
  z.object({
    model_id: z.string(),
    model_sha: z.string(),
    model_dtype: z.string(),
    model_type: z.object({
      reranker: z.object({
        id2label: z.record(z.string(), z.string()),
        label2id: z.record(z.string(), z.int()),
      }),
    }),
    max_input_length: count.describe("Tokens of query and document that are read by default."),
    max_client_batch_size: count.describe("Most documents of a request."),
    max_batch_tokens: count,
    max_concurrent_requests: z.null(),
    auto_truncate: z.literal(true),
    version: z.string(),
  }),
);

export const weaviateMeta = named(
  "WeaviateMeta",
  z.object({ model: z.string(), revision: z.string(), type: z.literal("rankmill") }),
);

export const health = named(
  "Health",
  z.object({ status: z.string().describe("`ok`, or the reason why the gateway is not ready.") }),
);

export type ModelList = z.infer<typeof modelList>;
export type TeiInfo = z.infer<typeof teiInfo>;
export type WeaviateMeta = z.infer<typeof weaviateMeta>;
export type Health = z.infer<typeof health>;
