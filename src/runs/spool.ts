import type { FailedRecord, InputRecord } from "../core/records.js";
import type { RunSink } from "./feeder.js";
import { countLine, type RunCounts } from "./manifest.js";

/**
 * Where submitted runs lie: what was asked and what has come of it, so that Redis holds the window of
 * a run and never the run. Several hosts may share one. Every run has an owner at a time, and each
 * owner writes under a fence of its own: a frozen one that wakes up can harm nothing.
 *
 * A run is *put* once its records are there, whole. It is *over* once its output is there, whole;
 * `reopen` makes it open again, with its rankings.
 */
export interface Spool {
  /** For people. */
  readonly name: string;
  /** @throws RankmillError where the place cannot be used at all */
  check(): Promise<void>;
  /**
   * Puts a run's records in. The same run may be put in again: its records are the same.
   *
   * @throws RankmillError `usage` where the place cannot be written
   */
  put(run: string, records: AsyncIterable<InputRecord>): Promise<void>;
  has(run: string): Promise<boolean>;
  /** Reads all of the run. */
  countRecords(run: string): Promise<number>;
  /** The run's records, less those that have a ranking. */
  records(run: string, doneIds: ReadonlySet<string>): AsyncGenerator<InputRecord, void, undefined>;
  /** Opens the run's output for the owner with this fence. */
  openOutput(run: string, fence: number): Promise<SpoolOutput>;
  /** Rankings so far, each record's once, whoever wrote them. */
  rankings(run: string): AsyncGenerator<string, void, undefined>;
  /** Failures of a run that is over, or as its newest owner knows them. */
  failures(run: string): AsyncGenerator<FailedRecord, void, undefined>;
  /** Makes a run that is over open again, with its rankings. */
  reopen(run: string): Promise<void>;
  remove(run: string): Promise<void>;
}

/** What one owner of a spooled run writes. What is flushed outlives the owner. */
export interface SpoolOutput extends RunSink {
  readonly counts: RunCounts;
  /** Ids of the records that earlier owners have ranked. */
  readonly doneIds: ReadonlySet<string>;
  /** Where the run is over, its output and failures get their names. */
  close(complete: boolean): Promise<void>;
}

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
    const record = JSON.parse(line) as InputRecord;
    if (record.status === "valid" && doneIds.has(record.request.id)) continue;
    yield record;
  }
}

/** A record as a line of the spool. */
export async function* asLines(records: AsyncIterable<InputRecord>): AsyncGenerator<string> {
  for await (const record of records) yield JSON.stringify(record);
}

/** @returns the line's id, an empty one where it has none; undefined where a crash tore the line */
export function idOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { id?: string }).id ?? "";
  } catch {
    return undefined;
  }
}
