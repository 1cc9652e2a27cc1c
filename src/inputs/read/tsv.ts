import { describeError, RankmillError } from "../../core/errors.js";
import type { Qrels } from "../../core/evaluation.js";
import { parseJsonObject, splitTsv, toId } from "../collection/corpus-document.js";
import { readLineBatches, type ByteSource, type LineOptions, type TextLine } from "./lines.js";

/** Queries as BEIR has them (`{"_id", "text"}` a line) or as `id<TAB>text`. */
export type QueriesFormat = "jsonl" | "tsv";

/** A grade is a whole number; some files write it as 1.0. */
const GRADE = /^[+-]?\d+(\.0+)?$/;

/**
 * Reads the queries into memory, by id, in the order of the file.
 *
 * @param options.only keeps these alone: the queries that a split judges
 * @throws RankmillError with the line's number for a line that is not a query, and `duplicate_id`
 *   for an id that comes twice: which of the two was meant cannot be known
 */
export async function readQueries(
  source: ByteSource,
  options: LineOptions & {
    readonly format: QueriesFormat;
    readonly only?: { has(id: string): boolean } | undefined;
  },
): Promise<Map<string, string>> {
  const queries = new Map<string, string>();
  const seen = new Set<string>();
  for await (const line of readableLines(source, options)) {
    const { id, text } = parseQuery(line, options.format);
    if (seen.has(id)) {
      throw new RankmillError(
        "duplicate_id",
        `line ${line.lineNumber}: query "${id}" is there twice`,
      );
    }
    seen.add(id);
    if (options.only === undefined || options.only.has(id)) queries.set(id, text);
  }
  return queries;
}

/**
 * Reads relevance judgements: BEIR's three columns with a header (`query-id corpus-id score`), or
 * trec_eval's four (`qid 0 docid grade`); told by the first line.
 *
 * @throws RankmillError with the line's number for a line that cannot be read, and `duplicate_id`
 *   for a pair that is judged twice with different grades
 */
export async function readQrels(source: ByteSource, options: LineOptions): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  let columns: number | undefined;
  for await (const line of readableLines(source, options)) {
    const cells = splitColumns(line.text);
    if (columns === undefined) {
      columns = cells.length;
      if (isHeader(cells)) continue;
    }
    const { queryId, documentId, grade } = parseJudgement(line, cells, columns);
    const judgements = qrels.get(queryId) ?? new Map<string, number>();
    qrels.set(queryId, judgements);
    const before = judgements.get(documentId);
    if (before !== undefined && before !== grade) {
      throw new RankmillError(
        "duplicate_id",
        `line ${line.lineNumber} of the qrels: document "${documentId}" of query "${queryId}" ` +
          `has grade ${grade} here and ${before} before`,
      );
    }
    judgements.set(documentId, grade);
  }
  return qrels;
}

function parseJudgement(
  line: TextLine,
  cells: readonly string[],
  columns: number,
): { queryId: string; documentId: string; grade: number } {
  const [queryId = ""] = cells;
  const documentId = cells.at(-2) ?? "";
  const grade = cells.at(-1) ?? "";
  const where = `line ${line.lineNumber} of the qrels`;
  if ((columns !== 3 && columns !== 4) || cells.length !== columns || cells.includes("")) {
    throw new RankmillError(
      "invalid_field",
      `${where} has ${cells.filter(Boolean).length} columns: three are read (query-id, corpus-id, ` +
        `score, with a header) or four (qid 0 docid grade)`,
    );
  }
  if (!GRADE.test(grade)) {
    throw new RankmillError("invalid_field", `${where}: grade "${grade}" is no whole number`);
  }
  return { queryId, documentId, grade: Number(grade) };
}

/** Names of columns; a first judgement that is malformed has its ids, with digits in them. */
function isHeader(cells: readonly string[]): boolean {
  return cells.length >= 3 && cells.every((cell) => !/\d/.test(cell));
}

/** The fields between tabs, which may hold blanks; those between white space if that gives too few. */
function splitColumns(text: string): string[] {
  const byTab = text.split("\t").map((cell) => cell.trim());
  return byTab.length >= 3 ? byTab : text.trim().split(/\s+/);
}

function parseQuery(line: TextLine, format: QueriesFormat): { id: string; text: string } {
  try {
    if (format === "tsv") {
      const { id, rest } = splitTsv(line.text);
      return { id, text: rest };
    }
    const { _id, id, text } = parseJsonObject(line.text);
    if (typeof text !== "string") throw new RankmillError("invalid_field", `has no "text"`);
    return { id: toId(_id ?? id), text };
  } catch (error) {
    const { code, message } = describeError(error);
    throw new RankmillError(code, `line ${line.lineNumber} of the queries ${message}`, {
      cause: error,
    });
  }
}

/** @throws RankmillError for the first line that cannot be read */
async function* readableLines(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<TextLine, void, undefined> {
  for await (const batch of readLineBatches(source, options)) {
    for (const line of batch) {
      if (line.status === "unreadable") throw new RankmillError(line.code, line.message);
      yield line;
    }
  }
}
