/** The shape of a file whose lines are no records, told by how its first lines failed. */
import type { RecordFailure } from "../core/record.js";

const JSON_LINES = "one JSON object per line is read";
const SEPARATORS = { CSV: [",", ";"], TSV: ["\t"] } as const;
/** The tables of people have a header and a row at the least. */
const MIN_ROWS = 2;

/**
 * @param failures of the first lines, none of which was a record
 * @param name of the file
 * @returns the rest of the sentence that begins with the name; undefined for lines of no known shape
 */
export function shapeOfLines(failures: readonly RecordFailure[], name: string): string | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const texts = failures.map(textOf);
  const [text] = texts;
  if (text === undefined) return undefined;
  const start = text.trim();
  if (text.includes("\r")) {
    return `ends its lines with CR alone: ${JSON_LINES}: tr '\\r' '\\n' < ${name} > ${name}.jsonl`;
  }
  if (start.startsWith("{")) return undefined;
  return tableOf(texts.filter(isText), name);
}

function tableOf(rows: readonly string[], name: string): string | undefined {
  if (rows.length < MIN_ROWS) return undefined;
  for (const [kind, separators] of Object.entries(SEPARATORS)) {
    for (const separator of separators) {
      if (!rows.slice(0, MIN_ROWS).every((row) => row.includes(separator))) continue;
      const header = ["id", "query", "document"].join(separator === "\t" ? "\\t" : separator);
      return `looks like ${kind} without a header that names a query and documents. Put one first that names each column: sed '1i ${header}' ${name} > ${name}.new`;
    }
  }
  return undefined;
}

function textOf({ code, input }: RecordFailure): string | undefined {
  return code === "invalid_json" && typeof input === "string" ? input : undefined;
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
