import { rankingSchema } from "../core/contract.js";
import type { RecordFailure } from "../core/record.js";
import { parseStored } from "../core/stored-json.js";

const withErrorsSchema = rankingSchema.pick({ id: true, errors: true });

/** A document of a ranked record that could not be scored. */
export interface FailedDocument {
  readonly id: string;
  readonly document: { readonly index: number };
  readonly code: string;
  readonly reason: string;
}

/** Documents of one output line that could not be scored. */
export function failedDocuments(line: string): FailedDocument[] {
  // Nearly every ranking has none: only a text that could name them is parsed.
  if (!line.includes('"errors":')) return [];
  const { id, errors } = parseStored(withErrorsSchema, line, "a ranking");
  return (errors ?? []).map(({ index, code, message }) => ({
    id,
    document: { index },
    code,
    reason: message,
  }));
}

const SHOWN_INPUT_CHARS = 200;

/** One failure for people: its place and reason, and the beginning of what was given. */
export function describeFailure(failure: RecordFailure | FailedDocument): {
  readonly said: string;
  readonly input?: string;
} {
  const isNamedByLine = "line" in failure && failure.id === `line-${failure.line}`;
  const id = failure.id === undefined || isNamedByLine ? "" : ` ${failure.id}`;
  const what =
    "line" in failure ? `line ${failure.line}${id}` : `document ${failure.document.index} of${id}`;
  const said = `${what} · ${failure.code} · ${failure.reason}`;
  if (!("line" in failure)) return { said };
  const input = inputLine(failure);
  const cut = input.length > SHOWN_INPUT_CHARS ? `${input.slice(0, SHOWN_INPUT_CHARS)}…` : input;
  return { said, input: cut };
}

/** The record as it was given: a line of input again. */
export function inputLine({ input, inputText }: RecordFailure): string {
  if (inputText !== undefined) return inputText;
  // A line that was no JSON, or too long to be read, is kept as its text.
  return typeof input === "string" ? input : JSON.stringify(input);
}
