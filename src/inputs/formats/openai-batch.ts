import type { Conversion, InputFormat, ParsedLine } from "../../core/ports/input-format.js";
import { given, has, isObject, othersThan, unusable } from "./line-fields.js";

const LINE_FIELDS = ["custom_id", "method", "url", "body"];
const BODY_FIELDS = ["model", "query", "documents", "top_n", "top_k", "metadata"];
/** Names that vLLM has had for the two sides of a pair. */
const FIRST_NAMES = ["text_1", "queries", "data_1"];
const SECOND_NAMES = ["text_2", "documents", "data_2"];
const SCORE_FIELDS = ["model", ...FIRST_NAMES, ...SECOND_NAMES, "metadata"];
const RERANK_URL = /(^|\/)rerank\/?$/;
const SCORE_URL = /(^|\/)score\/?$/;

/**
 * `{"custom_id", "method", "url", "body": {"model"?, "query", "documents", "top_n"?, "metadata"?}}`; with an `url` that
 * ends in `/score` the body is vLLM's `{"model"?, "text_1", "text_2"}`: one text against one or many. It may be repeated, once per other text.
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
  const { model, metadata } = body;
  const first = firstOf(body, FIRST_NAMES);
  const second = firstOf(body, SECOND_NAMES);
  const queries: readonly unknown[] = Array.isArray(first) ? first : [first];
  const documents: readonly unknown[] = Array.isArray(second) ? second : [second];
  const [query, ...others] = queries;
  // A list of one text stands for as many as there are in the other list.
  if (queries.length !== 1 && queries.length !== documents.length) {
    const message = `has ${queries.length} texts and text_2 ${documents.length}: one, or as many`;
    return unusable("body.text_1", message);
  }
  if (others.some((other) => other !== query)) {
    const message = "must be one text, alone or repeated for each of text_2";
    return unusable("body.text_1", `${message}: give pairs with another one lines of their own`);
  }
  return {
    status: "converted",
    request: {
      ...given("id", line["custom_id"]),
      query,
      documents,
      ...given("metadata", metadata),
    },
    ...(typeof model === "string" ? { model } : {}),
    ignored: [
      ...othersThan(line, LINE_FIELDS),
      ...othersThan(body, SCORE_FIELDS).map((field) => `body.${field}`),
    ],
  };
}

function firstOf(body: ParsedLine, names: readonly string[]): unknown {
  return names.map((name) => body[name]).find((value) => value !== undefined && value !== null);
}
