import { jsonItems } from "./json-items.js";
import { countLines, readLines, type ByteSource, type Line, type LineOptions } from "./lines.js";
import { peek } from "./peek.js";
import { separatorOf, tableRows, type Separator } from "./table-rows.js";

/** Read ahead to tell the layout: a header of a table, or the first lines of JSON. */
const PEEK_BYTES = 65_536;

/**
 * The records of a text, whichever way it lays them out, each as the JSON text of one object: JSON
 * lines; a JSON array, or objects one after another over several lines; a table with a header whose
 * columns are separated by commas, semicolons or tabs. Told by the first bytes, never by a name.
 *
 * In an array `lineNumber` counts items, from 1. Memory: a chunk and one record of at most
 * `maxLineBytes`; what is longer is reported in its place.
 */
export async function* readTextRecords(
  source: ByteSource,
  options: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  const { layout, all } = await tellLayout(source);
  if (layout === "items") yield* jsonItems(all, options);
  else if (layout === "lines") yield* readLines(all, options);
  else yield* tableRows(all, layout, options);
}

/** The number of records that `readTextRecords` would yield, those that cannot be read included. */
export async function countTextRecords(source: ByteSource, options: LineOptions): Promise<number> {
  const { layout, all } = await tellLayout(source);
  // Lines need not be cut out to be counted.
  if (layout === "lines") return await countLines(all, options);
  const records = layout === "items" ? jsonItems(all, options) : tableRows(all, layout, options);
  let count = 0;
  for await (const _ of records) count += 1;
  return count;
}

async function tellLayout(
  source: ByteSource,
): Promise<{ readonly layout: "lines" | "items" | Separator; readonly all: ByteSource }> {
  const { start, all } = await peek(source, PEEK_BYTES);
  const text = start.toString("utf8").replace(/^\uFEFF/, "");
  if (isJsonItems(text)) return { layout: "items", all };
  return { layout: separatorOf(text) ?? "lines", all };
}

/** Whether the text is an array, or its first object goes on over the next line. */
function isJsonItems(text: string): boolean {
  const start = text.trimStart();
  if (start.startsWith("[")) return true;
  if (!start.startsWith("{")) return false;
  const newline = start.indexOf("\n");
  const second = newline < 0 ? "" : start.slice(newline + 1);
  if (!/^[ \t}"]/.test(second)) return false;
  return !isJson(start.slice(0, newline));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
