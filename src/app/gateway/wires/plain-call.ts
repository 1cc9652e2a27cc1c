import type { RankCall } from "../../../core/rank-call.js";

/** One list, to be ranked by the model's own settings but for an instruction. */
export interface PlainList {
  readonly model: string | undefined;
  readonly query: string;
  readonly documents: readonly string[];
  readonly topN?: number | undefined;
  readonly instruction?: string | undefined;
}

/** @param documentsField the wire's name for documents */
export function plainCall(
  { model, query, documents, topN, instruction }: PlainList,
  documentsField: string,
  warnings: readonly string[],
): RankCall {
  return {
    model,
    questions: [{ query, documents }],
    topN,
    scoring: { instruction },
    fields: { query: "query", documents: documentsField },
    warnings,
  };
}
