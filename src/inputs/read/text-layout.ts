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
  yield* recordsOf(layout, all, options);
}

/** The number of records that `readTextRecords` would yield, those that cannot be read included. */
export async function countTextRecords(source: ByteSource, options: LineOptions): Promise<number> {
  const { layout, all } = await tellLayout(source);
  // Lines need not be cut out to be counted.
  if (layout === "lines") return await countLines(all, options);
  let count = 0;
  for await (const _ of recordsOf(layout, all, options)) count += 1;
  return count;
}

type Layout = "lines" | "items" | Separator;

function recordsOf(
  layout: Layout,
  all: ByteSource,
  options: LineOptions,
): AsyncGenerator<Line, void, undefined> {
  if (layout === "items") return jsonItems(all, options);
  return layout === "lines" ? readLines(all, options) : tableRows(all, layout, options);
}

async function tellLayout(
  source: ByteSource,
): Promise<{ readonly layout: Layout; readonly all: ByteSource }> {
  const { found, all } = await peek(source, PEEK_BYTES, layoutOf);
  return { layout: found ?? "lines", all };
}

/** @returns undefined if more must be known */
function layoutOf(bytes: Buffer, isWhole: boolean): Layout | undefined {
  const text = bytes
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart();
  if (text.startsWith("[")) return "items";
  const [first = "", second] = text.split(/\r?\n/, 2);
  if (second === undefined && !isWhole) return undefined;
  if (!text.startsWith("{")) return separatorOf(first) ?? "lines";
  if (isJson(first)) return "lines";
  if (second === "" && !isWhole) return undefined;
  // An object that goes on over the next line.
  return /^[ \t}"]/.test(second ?? "") ? "items" : "lines";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
