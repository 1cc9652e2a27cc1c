import type { Limits, RerankRequest } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import type { Question, RankCall } from "../../core/rank-call.js";

/** A part of a question that is one job. */
export interface ListPart {
  readonly question: number;
  /** Place of its first document in the question's list. */
  readonly offset: number;
  readonly request: RerankRequest;
}

/** Each is a job of its own, and a run does that better. */
const MOST_QUERIES = 1_000;
/** JSON's quotes, commas and names around the texts. */
const BYTES_AROUND_A_TEXT = 8;
const BYTES_AROUND_A_JOB = 64;
/** A control character as JSON writes it. */
const MOST_BYTES_PER_CHAR = 6;

/**
 * Checks a call, and cuts each list into parts that a job may have.
 *
 * @param mostDocuments of all lists together
 * @throws RankmillError `invalid_field` or `limit_exceeded`, by the wire's own names of the fields
 */
export function splitCall(call: RankCall, limits: Limits, mostDocuments: number): ListPart[] {
  const count = call.questions.reduce((sum, { documents }) => sum + documents.length, 0);
  if (count > mostDocuments) {
    throw over(call.fields.documents, "maxListDocuments", count, mostDocuments, "documents");
  }
  const queries = call.questions.length;
  if (queries > MOST_QUERIES) {
    throw over(call.fields.query, "different queries", queries, MOST_QUERIES, "texts");
  }
  return call.questions.flatMap((question, number) => {
    checkTexts(question, call, limits);
    return partsOf(question, limits).map(({ from, to }) => ({
      question: number,
      offset: from,
      request: {
        id: "",
        query: question.query,
        documents: question.documents.slice(from, to).map((text) => ({ text })),
      },
    }));
  });
}

function checkTexts({ query, documents }: Question, { fields }: RankCall, limits: Limits): void {
  if (query.trim() === "") {
    const message = `${fields.query}: must not be empty`;
    throw new RankmillError("invalid_field", message, { field: fields.query });
  }
  if (query.length > limits.maxQueryChars) {
    throw over(fields.query, "maxQueryChars", query.length, limits.maxQueryChars, "characters");
  }
  documents.forEach((text, index) => {
    if (text.length <= limits.maxDocumentChars) return;
    const field = `${fields.documents}[${index}]`;
    throw over(field, "maxDocumentChars", text.length, limits.maxDocumentChars, "characters");
  });
}

function partsOf({ query, documents }: Question, limits: Limits): { from: number; to: number }[] {
  if (documents.length <= limits.maxDocuments && isSmall(query, documents, limits.maxJobBytes)) {
    return [{ from: 0, to: documents.length }];
  }
  const most = limits.maxJobBytes - BYTES_AROUND_A_JOB - jsonBytes(query);
  const parts: { from: number; to: number }[] = [];
  let from = 0;
  let bytes = 0;
  documents.forEach((text, index) => {
    const more = jsonBytes(text) + BYTES_AROUND_A_TEXT;
    if (index > from && (index - from >= limits.maxDocuments || bytes + more > most)) {
      parts.push({ from, to: index });
      from = index;
      bytes = 0;
    }
    bytes += more;
  });
  return [...parts, { from, to: documents.length }];
}

/** Whether a job of all texts is small whatever they hold, so that nothing need be measured. */
function isSmall(query: string, documents: readonly string[], maxJobBytes: number): boolean {
  const chars = documents.reduce((sum, text) => sum + text.length, query.length);
  const around = BYTES_AROUND_A_TEXT * documents.length + BYTES_AROUND_A_JOB;
  return MOST_BYTES_PER_CHAR * chars + around <= maxJobBytes;
}

/** The bytes of a text in a job, which is measured as JSON: control characters and quotes take more. */
function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/**
 * @param bytes of a part as JSON
 * @throws RankmillError if one document with its query is larger than a job may be
 */
export function checkJobBytes(bytes: number, limits: Limits, call: RankCall): void {
  if (bytes <= limits.maxJobBytes) return;
  throw over(call.fields.documents, "maxJobBytes", bytes, limits.maxJobBytes, "bytes");
}

function over(
  field: string,
  name: string,
  value: number,
  max: number,
  unit: string,
): RankmillError {
  const message = wording`${field}: has ${value} ${unit}, over the limit of ${max} (${option(name)})`;
  return new RankmillError("limit_exceeded", message, { field, limit: { name, value, max, unit } });
}
