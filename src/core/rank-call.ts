import type { ScoringOptions } from "./job.js";

/** A query and its documents, any number of them. */
export interface Question {
  readonly query: string;
  readonly documents: readonly string[];
}

/** A request to rank, as all wires say it. */
export interface RankCall {
  /** Undefined: the default model, or the only one. */
  readonly model: string | undefined;
  readonly questions: readonly Question[];
  /** Results of each question that are given back; undefined: all. */
  readonly topN: number | undefined;
  readonly scoring: Partial<Omit<ScoringOptions, "maxLength" | "score">> & {
    /** Tokens of an encoded pair; over the model's highest it counts as that. */
    readonly maxLength?: number | undefined;
  };
  /** Names that the wire has for the two texts, for messages. */
  readonly fields: { readonly query: string; readonly documents: string };
  /** Things to tell the client: fields that mean nothing here. */
  readonly warnings: readonly string[];
}

/** A document with its place in the request and its scores. */
export interface RankedResult {
  readonly index: number;
  readonly score: number;
  readonly logit: number;
}

export interface FailedDocument {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

/** The ranking of one question. */
export interface RankedList {
  /** Best first by logit, ties by index; without those that failed. */
  readonly results: readonly RankedResult[];
  readonly failed: readonly FailedDocument[];
  readonly usage: { readonly pairs: number; readonly tokens: number; readonly truncated: number };
}

/** Milliseconds of a worker's work. */
export interface WorkTimes {
  /** In which texts became tokens, waits for the tokenizer included. */
  readonly tokenizationMs: number;
  /** For which lanes had pairs in hand. */
  readonly inferenceMs: number;
}

/** The rankings of a call, in the order of its questions. */
export interface Ranked {
  /** The served model's own name. */
  readonly model: string;
  readonly lists: readonly RankedList[];
  /** Of the job that was worked on longest; undefined if they are not known, or belong to an earlier request. */
  readonly times?: WorkTimes | undefined;
}
