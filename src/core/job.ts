import type { Priority } from "./ports.js";

/** Which tokens go where a pair is longer than maxLength. */
export type Truncation = "only-second" | "longest-first";

/** How a job wants its pairs read. Part of the job's identity: other options, other scores. */
export interface ScoringOptions {
  /** Tokens of an encoded pair, special tokens included. */
  readonly maxLength: number;
  readonly truncation: Truncation;
}

/**
 * What one pair of queues serves. Nothing that changes a score is left out, so that no two workers
 * on one queue can ever give one pair two scores.
 */
export interface ModelKey {
  readonly name: string;
  /** Hub commit of a catalogued model, digest of the files of any other. */
  readonly revision: string;
  readonly precision: string;
}

/** A job as BullMQ holds it. Small: a payload above a threshold lies in a key of its own. */
export interface JobEnvelope {
  readonly v: 1;
  readonly options: ScoringOptions;
  /** Of the request as JSON, UTF-8. What the worker takes permits for before it reads it. */
  readonly bytes: number;
  readonly pairs: number;
  readonly ttlSeconds: number;
  /** The request as JSON; absent where it lies in the payload key. */
  readonly request?: string;
}

/** What BullMQ keeps as a job's return value: XADDed to the events stream, hence small. */
export interface JobSummary {
  readonly pairs: number;
  readonly tokens: number;
  readonly truncated: number;
  readonly failedPairs: number;
}

/** How a job ended, as the result store keeps it. */
export type JobRecord =
  | { readonly status: "done"; /** One output line, JSON without newline. */ readonly line: string }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

export type EnqueueOutcome = "queued" | "joined" | "done";

/** A job ready to be enqueued. */
export interface PreparedJob {
  readonly jobId: string;
  readonly envelope: JobEnvelope;
  /** The request as JSON, where it does not travel in the envelope. */
  readonly payload?: string;
  readonly priority: Priority;
}
