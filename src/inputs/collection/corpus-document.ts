import { RankmillError } from "../../core/errors.js";

/** The form of a corpus in its file: one JSON object per line, or `id<TAB>text`. */
export type CorpusFormat = "jsonl" | "tsv";

/** A document of a corpus. */
export interface CorpusDocument {
  readonly id: string;
  /** All its fields but the id, as the file has them: `title`, `text`, and others. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** BEIR's text of a document: title, blank, text. */
export const DEFAULT_DOC_FIELDS: readonly string[] = ["title", "text"];

/**
 * Joins the named fields with a blank, as they come in `docFields`; empty ones and ones that this
 * document lacks are left out.
 *
 * @throws RankmillError `invalid_field` if the document has none of them, or one that is no text
 */
export function documentText(
  document: CorpusDocument,
  docFields: readonly string[] = DEFAULT_DOC_FIELDS,
): string {
  const parts: string[] = [];
  let found = false;
  for (const name of docFields) {
    const value = document.fields[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" && typeof value !== "number") {
      throw new RankmillError(
        "invalid_field",
        `field "${name}" of document "${document.id}" is no text`,
        { field: name },
      );
    }
    found = true;
    if (value !== "") parts.push(String(value));
  }
  if (!found) {
    const has = Object.keys(document.fields).join(", ");
    throw new RankmillError(
      "invalid_field",
      `document "${document.id}" has none of the fields ${docFields.join(", ")}; it has ${has}`,
    );
  }
  return parts.join(" ");
}

/**
 * Reads one line of a corpus.
 *
 * @throws RankmillError `invalid_json` or `invalid_field` without naming the line: the caller knows it
 */
export function parseCorpusLine(text: string, format: CorpusFormat): CorpusDocument {
  if (format === "tsv") {
    const { id, rest } = splitTsv(text);
    return { id, fields: { text: rest } };
  }
  const record = parseJsonObject(text);
  const { _id, id, ...others } = record;
  // BEIR says `_id`; Pyserini and others `id`.
  return { id: toId(_id ?? id), fields: others };
}

/** The id alone of a line of a corpus; throws what `parseCorpusLine` throws. */
export function parseCorpusId(text: string, format: CorpusFormat): string {
  if (format === "tsv") return splitTsv(text).id;
  const record = parseJsonObject(text);
  return toId(record["_id"] ?? record["id"]);
}

/**
 * `id<TAB>text`: the first tab ends the id, the rest is the text, whatever is in it.
 *
 * @throws RankmillError `invalid_field`
 */
export function splitTsv(text: string): { id: string; rest: string } {
  const tab = text.indexOf("\t");
  if (tab < 0) throw new RankmillError("invalid_field", `has no tab between id and text`);
  return { id: toId(text.slice(0, tab).trim()), rest: text.slice(tab + 1) };
}

/** @throws RankmillError `invalid_json` */
export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RankmillError("invalid_json", `is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RankmillError("invalid_field", "is not a JSON object");
  }
  return value as Record<string, unknown>;
}

/**
 * An id is text; a whole number is taken as its digits.
 *
 * @throws RankmillError `invalid_field`
 */
export function toId(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw new RankmillError("invalid_field", `has no id ("_id" or "id", a text)`, { field: "_id" });
}
