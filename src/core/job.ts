import type { Priority } from "./priority.js";

/** The tokens that are cut if a pair is longer than maxLength. */
export type Truncation = "only-second" | "longest-first";

/** Treatment of a document that is longer than its pair has room for. */
export type LongDocuments = "truncate" | "windows";

/** The meaning of the public score: the logit after the model's activation, or the logit itself. */
export type PublicScore = "activated" | "logit";

/**
 * The way in which a job wants its pairs read. Part of the job's identity: other options, other scores.
 * `completeScoring` fills in the rest, and holds the bounds.
 */
export interface ScoringOptions {
  /** Tokens of an encoded pair, special tokens included. */
  readonly maxLength: number;
  /** @defaultValue "only-second", in producers */
  readonly truncation: Truncation;
  /** @defaultValue "truncate" */
  readonly longDocuments?: LongDocuments | undefined;
  /**
   * Tokens of a document that each window shares with the one before, at least; of a window beside a
   * long query never more than half.
   *
   * @defaultValue 64, or a quarter of `maxLength` if that is less
   */
  readonly overlapTokens?: number | undefined;
  /**
   * Windows of one document; what lies beyond them is not read.
   *
   * @defaultValue 64
   */
  readonly maxWindows?: number | undefined;
  /**
   * Tokens of each document that are read, neither the query's nor special tokens counted; 0: all.
   *
   * @defaultValue 0
   */
  readonly maxTokensPerDoc?: number | undefined;
  /** @defaultValue "activated" */
  readonly score?: PublicScore | undefined;
  /** Tells a model with a prompt what to look for; others refuse it. @defaultValue the prompt's own */
  readonly instruction?: string | undefined;
}

/** Options with nothing left open. A document that is truncated is one window without overlap. */
export type ResolvedScoring = {
  readonly [K in keyof Omit<ScoringOptions, "instruction">]-?: Exclude<
    ScoringOptions[K],
    undefined
  >;
} & { readonly instruction?: string };

/**
 * The model that one pair of queues serves. Nothing that changes a score is left out, so that no two workers
 * on one queue can ever give one pair two scores.
 */
export interface ModelKey {
  readonly name: string;
  /** Hub commit of a catalogued model, digest of the files of any other. */
  readonly revision: string;
  readonly precision: string;
  /** The numeric form, such as `rows`; absent: the file's own numbers on ONNX Runtime. */
  readonly form?: string | undefined;
}

/** A job as BullMQ holds it. Small: a payload above a threshold lies in a key of its own. */
export interface JobEnvelope {
  /** 2 with an instruction: a worker that knows none must not rank without it. */
  readonly v: 1 | 2;
  readonly options: ScoringOptions;
  /** UTF-8 bytes of the request as JSON. The worker takes permits for them before it reads it. */
  readonly bytes: number;
  readonly pairs: number;
  readonly ttlSeconds: number;
  /** The request as JSON; absent if it lies in the payload key. */
  readonly request?: string;
  /** The request of a gateway that the job was made for; workers log it. No part of the job's id. */
  readonly requestId?: string;
}

/** A job as a queue hands it over. */
export interface TakenJob {
  readonly jobId: string;
  /** A {@link JobEnvelope}, unless somebody else wrote it; parsed once the job is begun. */
  readonly envelope: unknown;
  readonly priority: Priority;
  /** True if the queue will not try again after this attempt. */
  readonly lastAttempt: boolean;
}

/** A job's return value as BullMQ keeps it: XADDed to the events stream, hence small. */
export interface JobSummary {
  readonly pairs: number;
  readonly tokens: number;
  readonly truncated: number;
  readonly failedPairs: number;
}

/** The end of a job, as the result store keeps it. */
export type JobEnd =
  | { readonly status: "done"; /** One output line, JSON without newline. */ readonly line: string }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

export type EnqueueOutcome = "queued" | "joined" | "done";

/** A job ready to be enqueued. */
export interface NewJob {
  readonly jobId: string;
  readonly envelope: JobEnvelope;
  /** The request as JSON, if it does not travel in the envelope. */
  readonly payload?: string;
  readonly priority: Priority;
}
