import { RankmillError } from "../../core/errors.js";
import { DOCUMENT_NAMES, QUERY_NAMES } from "../formats/field-names.js";
import { pythonList } from "./python-list.js";
import { readLines, unusable, type ByteSource, type Line, type LineOptions } from "./lines.js";

/** In the order in which they are tried. */
export const SEPARATORS = ["\t", ",", ";", "|"] as const;
export type Separator = (typeof SEPARATORS)[number];

/** Lines that a quoted cell may go over; a quote that nobody ends costs its own line, not the file. */
const MAX_ROW_LINES = 1_000;

/**
 * The separator of a table whose header names a query and documents.
 *
 * @param header the first line of a file
 * @returns undefined if it is no such table
 */
export function separatorOf(header: string): Separator | undefined {
  return SEPARATORS.find((separator) => {
    const names = cellsOf(header, separator)?.map(columnName) ?? [];
    const has = (known: readonly string[]): boolean => names.some((name) => known.includes(name));
    return has(QUERY_NAMES) && (has(DOCUMENT_NAMES) || names.some(isNumbered));
  });
}

/**
 * The rows of a table as JSON objects, by the names of its header, in lower case. Cells in quotes may
 * hold the separator, line ends and doubled quotes, as RFC 4180 has it. Empty cells are left out but for
 * documents; a cell of documents that starts with a bracket is a list as JSON or Python writes it. Columns such as `doc1`, `doc2` are
 * a list of documents, each with its column as its id.
 *
 * Memory: a chunk and one row of at most `maxLineBytes`. A row that is wrong costs itself alone.
 */
export async function* tableRows(
  source: ByteSource,
  separator: Separator,
  options: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  let names: readonly string[] | undefined;
  for await (const row of wholeRows(source, separator, options)) {
    if (row.status === "unreadable") {
      // Without its header a table cannot be read at all.
      if (names === undefined) throw new RankmillError("input_unusable", row.message);
      yield row;
    } else if (names === undefined) {
      names = row.cells.map(columnName);
      refuseTwice(names);
    } else {
      yield toLine(row, names);
    }
  }
}

/** Columns that mean something whatever else there is. */
const OTHER_COLUMNS: ReadonlySet<string> = new Set([
  "id",
  "custom_id",
  "top_n",
  "top_k",
  "metadata",
]);

/** Of two columns with one name a row would keep the last one in silence. @throws RankmillError `input_unusable` */
function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i && isRead(name));
  if (twice === undefined) return;
  const advice = isDocument(twice)
    ? `if each holds a document, call them ${twice}1, ${twice}2`
    : "rename one of them";
  throw new RankmillError("input_unusable", `two columns are called ${twice}: ${advice}`);
}

function isRead(name: string): boolean {
  const isQuery = (QUERY_NAMES as readonly string[]).includes(name);
  return isQuery || isDocument(name) || isNumbered(name) || OTHER_COLUMNS.has(name);
}

interface Row {
  readonly status: "row";
  readonly lineNumber: number;
  readonly text: string;
  readonly cells: readonly string[];
}

type ReadRow = Row | Extract<Line, { readonly status: "unreadable" }>;

function toLine({ lineNumber, text, cells }: Row, names: readonly string[]): Line {
  if (cells.length !== names.length) {
    const line = { status: "line", lineNumber, text } as const;
    const message = `line ${lineNumber} has ${cells.length} columns, and the header ${names.length}`;
    return unusable(line, "invalid_field", message);
  }
  const torn = names.find((name, i) => isPlural(name) && isTornList(name, cells[i] ?? ""));
  if (torn !== undefined) {
    const line = { status: "line", lineNumber, text } as const;
    const message = `${torn}: stands in brackets, and is a list of texts neither as JSON nor as Python writes it`;
    return unusable(line, "invalid_field", message);
  }
  const isList = names.some(isNumbered) && !names.some(isDocument);
  const fields = names.flatMap((name, i) => {
    if (isList && isNumbered(name)) return [];
    const value = valueOf(name, cells[i] ?? "");
    return value === undefined ? [] : [[name, value] as const];
  });
  if (isList) fields.push(["documents", numberedDocuments(names, cells)]);
  return { status: "line", lineNumber, text: JSON.stringify(Object.fromEntries(fields)) };
}

/** Whether a cell of documents looks like a list and is none: as one document it would be ranked as another text. */
function isTornList(name: string, cell: string): boolean {
  if (!isDocument(name) || !/^\[.*\]\s*$/s.test(cell)) return false;
  return parsed(cell) === undefined && pythonList(cell) === undefined;
}

/** The cells of `doc1`, `doc2` and so on that hold something. */
function numberedDocuments(names: readonly string[], cells: readonly string[]): object[] {
  return names.flatMap((id, i) => {
    const text = cells[i] ?? "";
    return isNumbered(id) && text !== "" ? [{ id, text }] : [];
  });
}

function isNumbered(name: string): boolean {
  const stem = /^(.*?)_?\d+$/.exec(name)?.[1];
  return stem !== undefined && isDocument(stem);
}

function isDocument(name: string): boolean {
  return (DOCUMENT_NAMES as readonly string[]).includes(name);
}

/** The value of a cell in JSON. */
function valueOf(name: string, cell: string): unknown {
  if (cell === "" && !isDocument(name)) return undefined;
  if (name === "documents" && !cell.startsWith("[")) return [cell];
  if (isDocument(name) && cell.startsWith("[")) {
    return parsed(cell) ?? (isPlural(name) ? pythonList(cell) : undefined) ?? cell;
  }
  if (name === "metadata" || name === "top_n" || name === "top_k") return parsed(cell) ?? cell;
  return cell;
}

function isPlural(name: string): boolean {
  return name.endsWith("s");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The name of a column as it is compared: `Search Query` is `search_query`. */
export function columnName(cell: string): string {
  return cell
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}

/** Rows, each of as many lines as its quotes ask for. */
async function* wholeRows(
  source: ByteSource,
  separator: Separator,
  options: LineOptions,
): AsyncGenerator<ReadRow, void, undefined> {
  const lines = readLines(source, options);
  const waiting: Line[] = [];
  const next = async (at: number): Promise<Line | undefined> => {
    while (waiting.length <= at) {
      const { done, value } = await lines.next();
      if (done === true) return undefined;
      waiting.push(value);
    }
    return waiting[at];
  };
  try {
    for (let first = await next(0); first !== undefined; first = await next(0)) {
      if (first.status === "unreadable") {
        waiting.shift();
        yield first;
        continue;
      }
      let { text } = first;
      let cells = cellsOf(text, separator);
      let taken = 1;
      let before = first.lineNumber;
      // Within a cell quotes are doubled: one that is open has left an odd number of them behind.
      let quotes = quotesIn(text);
      while (quotes % 2 === 1 && cells === undefined && taken < MAX_ROW_LINES) {
        const more = await next(taken);
        if (more === undefined || more.status === "unreadable") break;
        // Blank lines are not read as lines, and are a part of the cell.
        text += "\n".repeat(more.lineNumber - before) + more.text;
        before = more.lineNumber;
        taken += 1;
        quotes += quotesIn(more.text);
        if (text.length > options.maxLineBytes) break;
        // A quote in the middle of a later line ends no cell: that line is a row of its own.
        if (quotes % 2 === 0) cells = cellsOf(text, separator, { strict: true });
      }
      const { lineNumber } = first;
      waiting.splice(0, cells === undefined ? 1 : taken);
      if (cells === undefined) {
        yield unusable(first, "invalid_field", `line ${lineNumber} has a quote that does not end`);
      } else {
        yield { status: "row", lineNumber, text, cells };
      }
    }
  } finally {
    await lines.return();
  }
}

/**
 * The cells of a row; undefined if a quote is open at its end.
 *
 * @param options.strict whether text behind the end of a quote makes it none
 */
export function cellsOf(
  row: string,
  separator: Separator,
  { strict = false }: { readonly strict?: boolean } = {},
): string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (row[at] === '"') {
      const quoted = quotedCell(row, at);
      if (quoted === undefined) return undefined;
      const end = row.indexOf(separator, quoted.end);
      const rest = row.slice(quoted.end, end < 0 ? undefined : end);
      const isWhole = rest.trim() === "";
      if (strict && !isWhole) return undefined;
      // Text behind its end: the quotes are a part of the cell, as of `"so" they say`.
      cells.push(isWhole ? quoted.text : row.slice(at, end < 0 ? undefined : end));
      if (end < 0) return cells;
      at = end + 1;
    } else {
      const end = row.indexOf(separator, at);
      cells.push(row.slice(at, end < 0 ? undefined : end));
      if (end < 0) return cells;
      at = end + 1;
    }
  }
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}

function quotedCell(row: string, start: number): { text: string; end: number } | undefined {
  let text = "";
  let at = start + 1;
  for (;;) {
    const quote = row.indexOf('"', at);
    if (quote < 0) return undefined;
    text += row.slice(at, quote);
    if (row[quote + 1] !== '"') return { text, end: quote + 1 };
    text += '"';
    at = quote + 2;
  }
}
