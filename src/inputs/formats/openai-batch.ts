import type { Conversion, InputFormat, ParsedLine } from "../../core/ports/input-format.js";
import { given, has, isObject, othersThan, unusable } from "./line-fields.js";

const LINE_FIELDS = ["custom_id", "method", "url", "body"];
const BODY_FIELDS = ["model", "query", "documents", "top_n", "top_k", "metadata"];
const SCORE_FIELDS = ["model", "text_1", "text_2", "metadata"];
const RERANK_URL = /(^|\/)rerank\/?$/;
const SCORE_URL = /(^|\/)score\/?$/;

/**
 * `{"custom_id", "method", "url", "body": {"model"?, "query", "documents", "top_n"?, "metadata"?}}`; with an `url` that
 * ends in `/score` the body is vLLM's `{"model"?, "text_1", "text_2"}`: one text against one, or against many.
 */
export const openAiBatch = {
  name: "openai-batch",
  fields: '"body"',
  detect: (line) => has(line, "body"),
  toRequest: (line) => {
    const { custom_id: id, method, url, body } = line;
    if (!isObject(body)) return unusable("body", "must be an object");
    if (method !== undefined && method !== "POST") return unusable("method", 'must be "POST"');
    if (typeof url === "string" && SCORE_URL.test(url)) return scoreRequest(line, body);
    if (url !== undefined && (typeof url !== "string" || !RERANK_URL.test(url))) {
      return unusable("url", `must end in "/rerank" or "/score", not ${JSON.stringify(url)}`);
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

function scoreRequest(line: ParsedLine, body: ParsedLine): Conversion {
  const { model, text_1: one, text_2: others, metadata } = body;
  if (Array.isArray(one) && one.length !== 1) {
    return unusable("body.text_1", "must be one text: give each pair a line of its own");
  }
  return {
    status: "converted",
    request: {
      ...given("id", line["custom_id"]),
      query: Array.isArray(one) ? (one as unknown[])[0] : one,
      documents: Array.isArray(others) ? others : [others],
      ...given("metadata", metadata),
    },
    ...(typeof model === "string" ? { model } : {}),
    ignored: [
      ...othersThan(line, LINE_FIELDS),
      ...othersThan(body, SCORE_FIELDS).map((field) => `body.${field}`),
    ],
  };
}
