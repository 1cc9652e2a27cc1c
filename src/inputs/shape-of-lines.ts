/** The shape of a file whose lines are no records, told by how its first lines failed. */
import type { RecordFailure } from "../core/record.js";
import { shapeOfObject } from "./shape-of-object.js";
import { shapeOfTable } from "./shape-of-table.js";

const JSON_LINES = "one JSON object per line is read";

/**
 * @param failures of the first lines, none of which was a record
 * @param name of the file
 * @returns the rest of the sentence that begins with the name; undefined for lines of no known shape
 */
export function shapeOfLines(failures: readonly RecordFailure[], name: string): string | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const object = failures.length === 1 ? shapeOfObject(first.input, name) : undefined;
  if (object !== undefined) return object;
  const texts = failures.map(textOf);
  const [text] = texts;
  if (text === undefined) return undefined;
  const start = text.trim();
  if (text.includes("\r")) {
    return `ends its lines with CR alone: ${JSON_LINES}: tr '\\r' '\\n' < ${name} > ${name}.jsonl`;
  }
  if (start.startsWith("{")) return undefined;
  return shapeOfTable(texts.filter(isText), name);
}

function textOf({ code, input }: RecordFailure): string | undefined {
  return code === "invalid_json" && typeof input === "string" ? input : undefined;
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
