import type { RankCall } from "../../../core/rank-call.js";

/** One list, to be ranked by the model's own settings. */
export interface PlainList {
  readonly model: string | undefined;
  readonly query: string;
  readonly documents: readonly string[];
  readonly topN?: number | undefined;
}

/** @param documentsField the wire's name for documents */
export function plainCall(
  { model, query, documents, topN }: PlainList,
  documentsField: string,
  warnings: readonly string[],
): RankCall {
  return {
    model,
    questions: [{ query, documents }],
    topN,
    scoring: {},
    fields: { query: "query", documents: documentsField },
    warnings,
  };
}
