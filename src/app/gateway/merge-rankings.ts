import type { Ranking } from "../client/ranking.js";
import type { FailedDocument, RankedList, RankedResult } from "../../core/rank-call.js";

/** The ranking of a part of a list, and the place of its first document. */
export interface RankedPart {
  readonly offset: number;
  readonly ranking: Ranking;
}

/** One ranking of the parts of a list: best first by logit, ties by index, as a single job's is. */
export function mergeRankings(parts: readonly RankedPart[]): RankedList {
  const results: RankedResult[] = [];
  const failed: FailedDocument[] = [];
  const usage = { pairs: 0, tokens: 0, truncated: 0 };
  for (const { offset, ranking } of parts) {
    for (const { index, relevanceScore, logit } of ranking.results) {
      results.push({ index: index + offset, score: relevanceScore, logit });
    }
    for (const { index, code, message } of ranking.errors) {
      failed.push({ index: index + offset, code, message });
    }
    usage.pairs += ranking.usage.pairs;
    usage.tokens += ranking.usage.tokens;
    usage.truncated += ranking.usage.truncated;
  }
  results.sort((one, other) => other.logit - one.logit || one.index - other.index);
  failed.sort((one, other) => one.index - other.index);
  return { results, failed, usage };
}
