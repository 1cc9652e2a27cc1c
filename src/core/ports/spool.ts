import type { RecordFailure, InputRecord } from "../record.js";
import type { RunCounts } from "../run-counts.js";
import type { RankingSink } from "./ranking-sink.js";

/**
 * The place of submitted runs: their records and rankings, so that Redis holds the jobs in flight of
 * a run and never the run. Several hosts may share one. Every run has an owner at a time, and each
 * owner writes under a fence of its own: a frozen one that wakes up can harm nothing.
 *
 * A run is *put* once its records are there, whole. It is *over* once its output is there, whole;
 * `reopen` makes it open again, with its rankings.
 */
export interface Spool {
  /** A name for people. */
  readonly name: string;
  /** @throws RankmillError if the place cannot be used at all */
  check(): Promise<void>;
  /**
   * Puts a run's records in. The same run may be put in again: its records are the same.
   *
   * @throws RankmillError `place_unusable` if the place cannot be written
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
  failures(run: string): AsyncGenerator<RecordFailure, void, undefined>;
  /** Makes a run that is over open again, with its rankings. */
  reopen(run: string): Promise<void>;
  remove(run: string): Promise<void>;
}

/** The output of one owner of a spooled run. Flushed lines outlive the owner. */
export interface SpoolOutput extends RankingSink {
  readonly counts: RunCounts;
  /** Ids of the records that earlier owners have ranked. */
  readonly doneIds: ReadonlySet<string>;
  /** The parts of the run's files that cannot be used, a line each; their records are ranked anew. */
  readonly damage: readonly string[];
  /** Closes the files; if the run is over, output and failures get their names. */
  close(complete: boolean): Promise<void>;
}
