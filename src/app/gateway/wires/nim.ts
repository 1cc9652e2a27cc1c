/** NVIDIA NIM's reranking: logits, best first. */
import { z } from "zod";
import type { Wire, WireCall } from "../../../core/ports/wire.js";
import { fullRanking, onlyList, tokensOf } from "./full-ranking.js";
import { plainCall } from "./plain-call.js";
import { objectProblem } from "./problems.js";
import { count, ignoredFields, name, readBody, text, textOf } from "./read-fields.js";
import { Score } from "./write-json.js";

const bodySchema = z.object({
  model: name,
  query: text,
  passages: z.array(text),
  top_n: count,
  /** NONE or END; texts are always cut at the model's length. */
  truncate: z.unknown().optional(),
});

export const nimWire: Wire = {
  name: "nim",
  paths: [
    "/v1/ranking",
    "/v1/retrieval/nvidia/reranking",
    "/ranking",
    "/reranking",
    "/v1/reranking",
    "/rerank",
  ],
  takes: (body) => body["passages"] !== undefined,
  read(body): WireCall {
    const read = readBody(bodySchema, body);
    return {
      call: plainCall(
        {
          model: read.model,
          query: textOf(read.query),
          documents: read.passages.map(textOf),
          topN: read.top_n,
        },
        "passages",
        ignoredFields(body, Object.keys(bodySchema.shape)),
      ),
      answer: (ranked) => {
        const tokens = tokensOf(ranked.lists);
        return {
          body: {
            rankings: fullRanking(onlyList(ranked), "logit")
              .slice(0, read.top_n)
              .map(({ index, score }) => ({ index, logit: new Score(score) })),
            usage: { prompt_tokens: tokens, total_tokens: tokens },
          },
        };
      },
    };
  },
  writeProblem: objectProblem,
};
