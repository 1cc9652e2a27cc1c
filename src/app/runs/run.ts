import type { ModelKey, ResolvedScoring } from "../../core/job.js";
import type { RecordFailure } from "../../core/record.js";
import type { RunItem } from "../../runs/run-item.js";
import type { RunState, RunStatus } from "../../runs/run-status.js";
import type { Ranking } from "../client/ranking.js";
import type { RunExamples } from "./run-examples.js";

/** The submission of a run and its settings. */
export interface RunSummary {
  readonly id: string;
  /** Place of input and rankings: all of it in Redis, or in a spool that a runner works off. */
  readonly place: "redis" | "spool";
  /** A run in Redis may stay `submitted` for some seconds after its last record has ended. */
  readonly state: RunState;
  readonly model: ModelKey;
  readonly scoring: ResolvedScoring;
  /** The input's name, for people. */
  readonly input: string;
  /** Records; grows while the run is submitting. */
  readonly total: number;
  /** Seconds that Redis keeps the run and its rankings. */
  readonly ttlSeconds: number;
  /** When it was first submitted, ISO 8601. */
  readonly createdAt: string;
}

/** The wait for Redis, or for a spool, that a caller may end. */
export interface RunCall {
  /** Ends the call when it aborts, which then throws the signal's reason; what it began may go on. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of the wait for the end of a run. */
export interface UntilOverOptions {
  /** Milliseconds. @defaultValue for ever */
  readonly timeoutMs?: number;
  /** Milliseconds between two questions. @defaultValue 1,000 */
  readonly pollMs?: number;
  /** Called with every answer. */
  readonly onStatus?: (status: RunStatus) => void;
  /** Ends the wait, also one for a Redis that does not answer; the run goes on. */
  readonly signal?: AbortSignal;
}

/** Which rankings of a run are read. */
export interface RankingsOptions extends RunCall {
  /**
   * True: rankings are given as they come, each once, until the run is over. False: those that are there by now.
   *
   * @defaultValue false
   */
  readonly follow?: boolean;
  /** Milliseconds between two questions for new ones. @defaultValue 1,000 */
  readonly pollMs?: number;
}

/** The files and figures that writing a run's rankings came to. */
export interface WrittenResults {
  /** Lines of the output: records with a ranking. */
  readonly ranked: number;
  /** Lines of the failed file beside it. */
  readonly failed: number;
  /** Records that are not over yet, and stand in neither. */
  readonly open: number;
  /** True if the run is over, so that writing again would give no more. */
  readonly over: boolean;
}

/** The place for the rankings of a run whose output is `-`, and for its failures. */
export interface ResultStreams {
  readonly stdout: NodeJS.WritableStream;
  readonly onFailure: (failure: RecordFailure) => void;
}

/**
 * A run that was submitted: how it stands, what has come of it, and what one may do with it.
 *
 * *submitting* → *submitted* → *complete*; *cancelled* from either of the first two. `retry` makes a
 * complete or cancelled run *submitted* again. A purged run is gone: every method then throws.
 */
export interface Run {
  readonly id: string;
  /** Place of input and rankings. */
  readonly place: "redis" | "spool";
  /** The submission of the run. @throws RankmillError if the run is gone */
  summary(call?: RunCall): Promise<RunSummary>;
  status(call?: RunCall): Promise<RunStatus>;
  /** Waits until every record has ended. @throws RankmillError `timeout`; the signal's reason */
  untilOver(options?: UntilOverOptions): Promise<RunStatus>;
  /** Every record with what became of it: in Redis in the input's order, in a spool in that of arrival. */
  items(call?: RunCall): AsyncGenerator<RunItem, void, undefined>;
  /**
   * The rankings there are by now, in the order of `items`. With `follow` those that are still to come too, in the
   * order of their arrival: the loop ends with the run, and no ranking is given twice or left out, also if the
   * connection breaks meanwhile.
   */
  rankings(options?: RankingsOptions): AsyncGenerator<Ranking, void, undefined>;
  /** The records that failed by now, those of a cancelled run among them. */
  failures(call?: RunCall): AsyncGenerator<RecordFailure, void, undefined>;
  /**
   * Writes the rankings there are by now, as `rankmill results` does: `output`, and beside it
   * `*.failed.jsonl` if a record failed. Files appear once they are whole.
   *
   * @param output a path; with `streams` also `-`
   * @throws RankmillError if the place cannot be written
   */
  writeResults(output: string, streams?: ResultStreams, call?: RunCall): Promise<WrittenResults>;
  /** Stops the run and keeps its rankings. @returns records that were stopped */
  cancel(call?: RunCall): Promise<number>;
  /** Tries failed and cancelled records again. @returns records that are tried again */
  retry(call?: RunCall): Promise<number>;
  /**
   * Removes the run from Redis and from its spool, rankings included. Jobs that others wait for stay
   * with those.
   *
   * @param options `force` cancels a run that is under way, which is refused otherwise
   */
  purge(options?: { readonly force?: boolean } & RunCall): Promise<void>;
  /** A few failures of each code and a few rankings, from a bounded part of the run. */
  examples(options: { readonly withTexts: boolean }): Promise<RunExamples>;
  /** Bytes of Redis' memory that the run takes, reckoned from a sample; undefined: not known. */
  memoryBytes(call?: RunCall): Promise<number | undefined>;
}
