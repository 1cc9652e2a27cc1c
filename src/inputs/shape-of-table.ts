/** A table whose header names no query or no documents: its columns, and what to type. */
import { nearNames } from "../core/near-names.js";
import { DOCUMENT_NAMES, QUERY_NAMES } from "./formats/field-names.js";
import { cellsOf, columnName, SEPARATORS, type Separator } from "./read/table-rows.js";

/** Names that people give these columns and that are not read as such, since they may mean other things too. */
const LIKE_QUERY = ["anchor", "prompt", "search", "keyword", "sentence1", "text1", "input"];
const LIKE_DOCUMENT = [
  "answer",
  "answers",
  "positive",
  "content",
  "body",
  "response",
  "sentence2",
  "text2",
  "title",
  "description",
  "abstract",
];
const OTHER_NAMES = ["id", "qid", "pid", "docid", "url", "label", "score", "rank", "negative"];
/** The tables of people have a header and a row at the least. */
const MIN_ROWS = 2;
const MOST_SHOWN_COLUMNS = 12;
const MOST_NAME_CHARS = 40;
/** Characters that mean nothing to sed or to a shell between single quotes. */
const PLAIN = /^[\p{L}\p{N}_ .,;|-]*$/u;

/**
 * @param rows the first lines of a file
 * @param name of the file
 * @returns the rest of the sentence that begins with the name; undefined for what is no table
 */
export function shapeOfTable(rows: readonly string[], name: string): string | undefined {
  const separator = separatorIn(rows);
  if (separator === undefined) return undefined;
  const [first = ""] = rows;
  const cells = cellsOf(first, separator)?.map((cell) => cell.trim()) ?? [];
  const kind = separator === "\t" ? "TSV" : "CSV";
  const put = `sed '1i ${inSed(["id", "query", "document"].join(separator))}' ${name} > ${name}.new`;
  if (!cells.every(isName)) {
    return `looks like ${kind} without a header that names a query and documents. Put one first that names each column: ${put}`;
  }
  const { query, document } = guess(cells);
  const renamed = cells.map((cell) => {
    if (cell === query) return "query";
    return cell === document ? "document" : cell;
  });
  const lacks = [
    ...(isQuery(query) ? [] : ["query"]),
    ...(isDocument(document) ? [] : ["document"]),
  ];
  const columns = `has the columns ${listed(cells)}, and none is called ${lacks.join(" or ")}`;
  const known = query !== undefined && document !== undefined;
  const header = inSed(renamed.join(separator));
  const rename =
    known && PLAIN.test(renamed.join(""))
      ? `Rename them: sed '1s/.*/${header}/' ${name} > ${name}.new`
      : `Name one column query, and one document (or several doc1, doc2, …)`;
  const isSure = cells.some((cell) => isKnown(columnName(cell)));
  return `${columns}. ${rename}${isSure ? "" : `; if its first line is no header, put one first: ${put}`}`;
}

function separatorIn(rows: readonly string[]): Separator | undefined {
  if (rows.length < MIN_ROWS) return undefined;
  return SEPARATORS.find((one) => rows.slice(0, MIN_ROWS).every((row) => row.includes(one)));
}

/** The columns that the query and the documents stand in, most likely. */
function guess(cells: readonly string[]): { query?: string; document?: string } {
  const query = cells.find(isQuery) ?? among(cells, [...QUERY_NAMES, ...LIKE_QUERY]);
  const others = cells.filter((cell) => cell !== query);
  const document =
    others.find(isDocument) ?? among(others, [...DOCUMENT_NAMES, ...LIKE_DOCUMENT]) ?? only(others);
  const left = cells.filter((cell) => cell !== document);
  return { ...optional("query", query ?? only(left)), ...optional("document", document) };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>);
}

function among(cells: readonly string[], names: readonly string[]): string | undefined {
  return (
    cells.find((cell) => names.includes(columnName(cell))) ??
    cells.find((cell) => nearNames(columnName(cell), names).length > 0)
  );
}

/** The one column left that is not of another use. */
function only(cells: readonly string[]): string | undefined {
  const left = cells.filter((cell) => !OTHER_NAMES.includes(columnName(cell)));
  return left.length === 1 ? left[0] : undefined;
}

function isKnown(name: string): boolean {
  const known = [
    ...QUERY_NAMES,
    ...DOCUMENT_NAMES,
    ...LIKE_QUERY,
    ...LIKE_DOCUMENT,
    ...OTHER_NAMES,
  ];
  return known.includes(name);
}

function isQuery(cell: string | undefined): boolean {
  return cell !== undefined && (QUERY_NAMES as readonly string[]).includes(columnName(cell));
}

function isDocument(cell: string | undefined): boolean {
  return cell !== undefined && (DOCUMENT_NAMES as readonly string[]).includes(columnName(cell));
}

/** Whether a cell may name a column: a word or three, that do not begin with a digit. */
function isName(cell: string): boolean {
  const words = cell.split(/\s+/).length;
  return cell.length <= MOST_NAME_CHARS && words <= 3 && /^[\p{L}_][\p{L}\p{N}_ .-]*$/u.test(cell);
}

function listed(cells: readonly string[]): string {
  const shown = cells.slice(0, MOST_SHOWN_COLUMNS).join(", ");
  return cells.length > MOST_SHOWN_COLUMNS ? `${shown}, …` : shown;
}

function inSed(text: string): string {
  return text.replaceAll("\t", "\\t");
}
