import { z } from "zod";
import { parseRecord, type InputRecord } from "../../core/record.js";
import { countLine, type RunCounts } from "../../core/run-counts.js";

/** The lines of several files, each record's first; the ends that a crash tore are left out. */
export async function* mergeLines(
  files: AsyncIterable<AsyncIterable<string>> | Iterable<AsyncIterable<string>>,
): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>();
  for await (const lines of files) {
    for await (const line of lines) {
      const id = idOf(line);
      if (id === undefined || seen.has(id)) continue;
      seen.add(id);
      yield line;
    }
  }
}

/** Counts what earlier owners have ranked. @returns the ids of those records */
export async function countDone(
  lines: AsyncIterable<string>,
  counts: RunCounts,
): Promise<Set<string>> {
  const doneIds = new Set<string>();
  for await (const line of lines) doneIds.add(countLine(line, counts));
  return doneIds;
}

/** The records of a run that have no ranking, out of its lines. */
export async function* recordsOf(
  lines: AsyncIterable<string>,
  doneIds: ReadonlySet<string>,
): AsyncGenerator<InputRecord, void, undefined> {
  for await (const line of lines) {
    const record = parseRecord(line);
    if (record.status === "valid" && doneIds.has(record.request.id)) continue;
    yield record;
  }
}

/** A record as a line of the spool. */
export async function* asLines(records: AsyncIterable<InputRecord>): AsyncGenerator<string> {
  for await (const record of records) yield JSON.stringify(record);
}

/** Lines with their ends. */
export async function* asTexts(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

const idSchema = z.object({ id: z.string().optional() });

/** @returns the line's id, an empty one where it has none; undefined where a crash tore the line */
export function idOf(line: string): string | undefined {
  try {
    return idSchema.parse(JSON.parse(line)).id ?? "";
  } catch {
    return undefined;
  }
}
