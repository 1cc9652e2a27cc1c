import { counted } from "../../core/counted.js";
import { isErrorCode, RankmillError } from "../../core/errors.js";
import type { FailedDocument, RankCall, Ranked } from "../../core/rank-call.js";

/** Most documents that a warning names one by one. */
const MOST_NAMED = 20;

/**
 * Looks at what could not be scored.
 *
 * @param strict one document that failed fails the request
 * @returns what the client should know of the answer
 * @throws RankmillError of the first document that failed, if none was scored, or `strict` is set
 */
export function checkRanked(call: RankCall, { lists }: Ranked, strict: boolean): string[] {
  const failed = lists.flatMap((list) => list.failed);
  const scored = lists.some(({ results }) => results.length > 0);
  const [first] = failed;
  if (first !== undefined && (strict || !scored)) throw failure(call, first, failed.length);
  const truncated = lists.reduce((sum, { usage }) => sum + usage.truncated, 0);
  return [
    ...call.warnings,
    ...failed
      .slice(0, MOST_NAMED)
      .map(({ index, code }) => `${call.fields.documents}[${index}] could not be scored (${code})`),
    ...(failed.length > MOST_NAMED
      ? [`${failed.length - MOST_NAMED} more ${call.fields.documents} could not be scored`]
      : []),
    ...(truncated > 0
      ? [`${call.fields.documents}: ${counted(truncated, "text")} cut to fit the model`]
      : []),
  ];
}

function failure({ fields }: RankCall, first: FailedDocument, count: number): RankmillError {
  const field = `${fields.documents}[${first.index}]`;
  const more = count > 1 ? `, and ${count - 1} more` : "";
  const message = `${field}: could not be scored (${first.code}: ${first.message})${more}`;
  return new RankmillError(isErrorCode(first.code) ? first.code : "internal", message, { field });
}
