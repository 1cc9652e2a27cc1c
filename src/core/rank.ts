import type { RerankRequest, WireRanking } from "./contract.js";
import type { EncodedPair, PairOutcome } from "./ports.js";
import { activate, type Activation } from "./score.js";

/**
 * Makes the ranking of one job: best first by logit (a sigmoid saturates, a logit does not), ties
 * by index. Failed documents are listed apart and take no rank.
 *
 * @param pairs the pairs that were scored, one a document, in the order of the request
 * @param outcomes what became of them, same order
 */
export function rank(
  request: RerankRequest,
  pairs: readonly EncodedPair[],
  outcomes: readonly PairOutcome[],
  model: { readonly name: string; readonly activation: Activation },
): WireRanking {
  const results: WireRanking["results"] = [];
  const errors: NonNullable<WireRanking["errors"]> = [];
  let tokens = 0;
  let truncated = 0;
  request.documents.forEach((document, index) => {
    const pair = pairs[index];
    const outcome = outcomes[index];
    if (pair === undefined || outcome === undefined) {
      throw new RangeError(`document ${index} has no outcome`);
    }
    tokens += pair.ids.length;
    if (pair.truncated) truncated += 1;
    if (outcome.status === "failed") {
      errors.push({ index, code: outcome.code, message: outcome.message });
      return;
    }
    results.push({
      index,
      ...(document.id === undefined ? {} : { id: document.id }),
      relevance_score: activate(outcome.logit, model.activation),
      logit: outcome.logit,
      ...(pair.truncated ? { truncated: true } : {}),
    });
  });
  results.sort((a, b) => b.logit - a.logit || a.index - b.index);
  return {
    id: request.id,
    model: model.name,
    results: request.topN === undefined ? results : results.slice(0, request.topN),
    ...(errors.length === 0 ? {} : { errors }),
    usage: { pairs: request.documents.length, tokens, truncated },
    ...(request.metadata === undefined ? {} : { metadata: { ...request.metadata } }),
  };
}
