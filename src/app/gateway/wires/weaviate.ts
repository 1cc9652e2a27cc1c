/** Weaviate's reranker-transformers: scores in the order of the request. */
import { z } from "zod";
import type { Wire, WireCall } from "../../../core/ports/wire.js";
import { inInputOrder, onlyList } from "./full-ranking.js";
import { plainCall } from "./plain-call.js";
import { textProblem } from "./problems.js";
import { ignoredFields, name, readBody, text, textOf } from "./read-fields.js";
import { Score } from "./write-json.js";

const bodySchema = z.object({
  model: name,
  query: text,
  documents: z.array(text),
  property: z.unknown().optional(),
});

export const weaviateWire: Wire = {
  name: "weaviate",
  paths: ["/rerank"],
  takes: (body) => "property" in body && body["documents"] !== undefined,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    const documents = read.documents.map(textOf);
    return {
      call: plainCall(
        { model: read.model, query: textOf(read.query), documents },
        "documents",
        ignoredFields(body, Object.keys(bodySchema.shape)),
      ),
      answer: (ranked) => ({
        body: {
          scores: inInputOrder(onlyList(ranked), "score").map(({ index, score }) => ({
            document: documents[index],
            score: new Score(score),
          })),
        },
      }),
    };
  },
  writeProblem: textProblem,
};
