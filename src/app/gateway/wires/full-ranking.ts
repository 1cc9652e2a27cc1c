import type { Ranked, RankedList, RankedResult } from "../../../core/rank-call.js";

/** The number of a result that a wire gives: the score after the model's activation, or its raw output. */
export type GivenScore = "score" | "logit";

/** The least number that a client which reads single precision can hold. */
export const LOWEST_FLOAT = -3.4028234663852886e38;

/** A document with the number that its client gets. */
export interface GivenResult {
  readonly index: number;
  readonly score: number;
}

/**
 * Every document of a question, best first: clients that look for each index break if one is missing.
 * Documents that could not be scored come last, with the lowest number there can be: 0 if all others
 * are between 0 and 1.
 */
export function fullRanking(list: RankedList, given: GivenScore): GivenResult[] {
  const valueOf = (result: RankedResult): number => finite(result[given]);
  const scored = list.results.map((result) => ({ index: result.index, score: valueOf(result) }));
  const share = given === "score" && scored.every(({ score }) => score >= 0 && score <= 1);
  const lowest = share ? 0 : LOWEST_FLOAT;
  return [...scored, ...list.failed.map(({ index }) => ({ index, score: lowest }))];
}

/** The same, by the places in the request. */
export function inInputOrder(list: RankedList, given: GivenScore): GivenResult[] {
  return fullRanking(list, given).sort((one, other) => one.index - other.index);
}

/** The ranking of a call of one question. */
export function onlyList({ lists }: Ranked): RankedList {
  const [list] = lists;
  if (list === undefined) throw new RangeError("a call of one question has no ranking");
  return list;
}

/** Tokens of all lists together. */
export function tokensOf(lists: readonly RankedList[]): number {
  return lists.reduce((sum, { usage }) => sum + usage.tokens, 0);
}

function finite(value: number): number {
  return Math.min(Math.max(value, LOWEST_FLOAT), -LOWEST_FLOAT);
}
