import { z } from "zod";
import {
  damagedFailure,
  failureLine,
  parseFailure,
  parseRecord,
  type InputRecord,
  type RecordFailure,
} from "../../core/record.js";
import { countLine, type RunCounts } from "../../core/run-counts.js";
import { SHOWN_CHARS, sumText, type CheckedLine } from "./checked-lines.js";

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
  lines: AsyncIterable<CheckedLine>,
  doneIds: ReadonlySet<string>,
): AsyncGenerator<InputRecord, void, undefined> {
  let head = "";
  for await (const line of lines) {
    if (line.status === "unknown") {
      // Most likely the remains of the record that is lost next.
      head = line.head;
      continue;
    }
    const record = line.status === "whole" ? recordOf(line) : damaged(line.number, head);
    head = "";
    if (record.status === "valid" && doneIds.has(record.request.id)) continue;
    yield record;
  }
}

/** The number of records, those that are damaged included. */
export async function countRecords(lines: AsyncIterable<CheckedLine>): Promise<number> {
  let count = 0;
  for await (const { status } of lines) if (status !== "unknown") count += 1;
  return count;
}

function recordOf({ text, number }: Extract<CheckedLine, { status: "whole" }>): InputRecord {
  try {
    return parseRecord(text);
  } catch {
    return damaged(number, text.slice(0, SHOWN_CHARS));
  }
}

/** A line that is damaged fails alone: nobody can tell what it asked for, and the run goes on without it. */
function damaged(line: number, input: string): InputRecord {
  const reason = `line ${line} of the spool's records is damaged`;
  return { status: "invalid", failure: { line, code: "damaged", reason, input } };
}

/** A record as a line of the spool. */
export async function* asLines(records: AsyncIterable<InputRecord>): AsyncGenerator<string> {
  for await (const record of records) yield JSON.stringify(record);
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

/** The last member of a failure's line: the checksum of the line without it. */
const FAILURE_SUM = /,"sum":"([0-9a-f]{12})"\}$/;

/** Failures as lines of a spool. */
export function summedFailures(failures: readonly RecordFailure[]): string {
  return failures
    .map(failureLine)
    .map((line) => `${line.slice(0, -1)},"sum":"${sumText(line)}"}\n`)
    .join("");
}

/** The failures among the lines of `place`; in the place of one that is damaged stands that it is. */
export async function* failuresOf(
  lines: AsyncIterable<string>,
  place: string,
): AsyncGenerator<RecordFailure, void, undefined> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    yield failureOf(line) ?? damagedFailure(line, `line ${number} of ${place}`);
  }
}

function failureOf(line: string): RecordFailure | undefined {
  const found = FAILURE_SUM.exec(line);
  const text = found === null ? line : `${line.slice(0, found.index)}}`;
  if (found !== null && found[1] !== sumText(text)) return undefined;
  try {
    return parseFailure(text);
  } catch {
    return undefined;
  }
}
