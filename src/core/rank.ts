import type { RerankRequest, WireRanking } from "./contract.js";
import type { DocumentScore } from "./document-score.js";
import { activate, type Activation } from "./activation.js";

/**
 * Makes the ranking of one job: best first by logit (a sigmoid saturates, a logit does not), ties
 * by index. Failed documents are listed apart and take no rank.
 *
 * @param readings one per document, in the order of the request
 */
export function rank(
  request: RerankRequest,
  readings: readonly DocumentScore[],
  model: { readonly name: string; readonly activation: Activation },
): WireRanking {
  const results: WireRanking["results"] = [];
  const errors: NonNullable<WireRanking["errors"]> = [];
  const usage = { pairs: 0, tokens: 0, truncated: 0 };
  request.documents.forEach((document, index) => {
    const reading = readings[index];
    if (reading === undefined) throw new RangeError(`document ${index} has no outcome`);
    const { outcome, truncated } = reading;
    usage.pairs += reading.pairs;
    usage.tokens += reading.tokens;
    if (truncated) usage.truncated += 1;
    if (outcome.status === "failed") {
      errors.push({ index, code: outcome.code, message: outcome.message });
      return;
    }
    results.push({
      index,
      ...(document.id === undefined ? {} : { id: document.id }),
      relevance_score: activate(outcome.logit, model.activation),
      logit: outcome.logit,
      ...(truncated ? { truncated: true } : {}),
      ...windowOf(reading),
    });
  });
  results.sort((a, b) => b.logit - a.logit || a.index - b.index);
  return {
    id: request.id,
    model: model.name,
    results: request.topN === undefined ? results : results.slice(0, request.topN),
    ...(errors.length === 0 ? {} : { errors }),
    usage,
    ...(request.metadata === undefined ? {} : { metadata: { ...request.metadata } }),
  };
}

function windowOf({
  window,
  pairs,
}: DocumentScore): Pick<WireRanking["results"][number], "window" | "windows"> {
  if (window === undefined) return {};
  const { start, end, tokenStart, tokenEnd } = window;
  return {
    window: { start, end, token_start: tokenStart, token_end: tokenEnd },
    windows: pairs,
  };
}
