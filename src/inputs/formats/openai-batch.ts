import type { InputFormat } from "../../core/ports/input-format.js";
import { given, has, isObject, othersThan, unusable } from "./line-fields.js";

const LINE_FIELDS = ["custom_id", "method", "url", "body"];
const BODY_FIELDS = ["model", "query", "documents", "top_n", "top_k", "metadata"];
const RERANK_URL = /(^|\/)rerank\/?$/;

/** `{"custom_id", "method", "url", "body": {"model"?, "query", "documents", "top_n"?, "metadata"?}}`. */
export const openAiBatch = {
  name: "openai-batch",
  fields: '"body"',
  detect: (line) => has(line, "body"),
  toRequest: (line) => {
    const { custom_id: id, method, url, body } = line;
    if (!isObject(body)) return unusable("body", "must be an object");
    if (method !== undefined && method !== "POST") return unusable("method", 'must be "POST"');
    if (url !== undefined && (typeof url !== "string" || !RERANK_URL.test(url))) {
      return unusable("url", `must end in "/rerank", not ${JSON.stringify(url)}`);
    }
    const { model, query, documents, metadata } = body;
    return {
      status: "converted",
      request: {
        ...given("id", id),
        query,
        documents,
        ...given("top_n", body["top_n"] ?? body["top_k"]),
        ...given("metadata", metadata),
      },
      ...(typeof model === "string" ? { model } : {}),
      ignored: [
        ...othersThan(line, LINE_FIELDS),
        ...othersThan(body, BODY_FIELDS).map((field) => `body.${field}`),
      ],
    };
  },
} as const satisfies InputFormat;
