import type { Precision } from "../../../src/core/catalogue.js";

/** One model at one precision, and how much of it a repetition scores. */
export interface Case {
  /** Folder below the one of all models, and `--model` of make-synthetic.py. */
  readonly model: string;
  readonly precision: Precision;
  /** Tokenizer folder of the test data. */
  readonly tokenizer: "bert" | "xlmr";
  /** Part of `--quick`. */
  readonly quick: boolean;
  /** Jobs of one repetition: at least 64, all in flight at once. */
  readonly jobs: number;
  /** Documents of each, as many as keep a repetition of the slowest way within a minute or two. */
  readonly documents: number;
  readonly quickDocuments: number;
}

const JOBS = 64;

export const CASES: readonly Case[] = [
  ["minilm-l6", "fp32", "bert", true, 32, 6] as const,
  ["minilm-l6", "int8", "bert", true, 32, 12] as const,
  ["bge-reranker-base", "fp32", "xlmr", false, 4, 2] as const,
  ["bge-reranker-base", "int8", "xlmr", false, 8, 4] as const,
  ["bge-reranker-v2-m3", "fp32", "xlmr", false, 2, 1] as const,
  ["bge-reranker-v2-m3", "int8", "xlmr", true, 4, 2] as const,
].map(([model, precision, tokenizer, quick, documents, quickDocuments]) => ({
  model,
  precision,
  tokenizer,
  quick,
  jobs: JOBS,
  documents,
  quickDocuments,
}));

/** Tokens of an encoded pair at the most: the older models' own limit. */
export const MAX_LENGTH = 512;
