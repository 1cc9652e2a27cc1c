import { z } from "zod";
import {
  parseFailure,
  parseRecord,
  type InputRecord,
  type RecordFailure,
} from "../../core/record.js";
import { countLine, type RunCounts } from "../../core/run-counts.js";

/** Characters of a damaged line that show which one it was. */
const SHOWN_CHARS = 1_024;

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
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const record = recordOf(line, number);
    if (record.status === "valid" && doneIds.has(record.request.id)) continue;
    yield record;
  }
}

/** A line that is damaged fails alone: nobody can tell what it asked for, and the run goes on without it. */
function recordOf(line: string, number: number): InputRecord {
  try {
    return parseRecord(line);
  } catch {
    const reason = `line ${number} of the spool's records is damaged`;
    const input = line.slice(0, SHOWN_CHARS);
    const failure = { line: number, code: "spool_unavailable", reason, input };
    return { status: "invalid", failure };
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

/** The least that a line must hold to count as a ranking. */
const rankingSchema = z.object({
  id: z.string(),
  results: z.array(z.unknown()),
  usage: z.object({ pairs: z.number(), tokens: z.number(), truncated: z.number() }),
});

/** @returns the ranking's id; undefined for a line that a crash tore, or that is damaged: it is ranked anew */
export function idOf(line: string): string | undefined {
  try {
    return rankingSchema.parse(JSON.parse(line)).id;
  } catch {
    return undefined;
  }
}

/** The failures among the lines; one that is damaged is left out. */
export async function* failuresOf(
  lines: AsyncIterable<string>,
): AsyncGenerator<RecordFailure, void, undefined> {
  for await (const line of lines) {
    let failure: RecordFailure;
    try {
      failure = parseFailure(line);
    } catch {
      continue;
    }
    yield failure;
  }
}
