import type { Precision } from "../../../src/core/catalogue.js";

/** What one repetition scores. All its jobs are in flight at once. */
export interface Workload {
  /** Documents of each job. */
  readonly sizes: readonly number[];
  /** Pairs longer than this are passed over. */
  readonly maxTokens: number;
}

/** One model at one precision. */
export interface Case {
  /** Folder below the one of all models, and `--model` of make-synthetic.py. */
  readonly model: string;
  readonly precision: Precision;
  /** Tokenizer folder of the test data. */
  readonly tokenizer: "bert" | "xlmr";
  readonly full: Workload;
  /** Undefined where the case is no part of `--quick`. */
  readonly quick?: Workload;
}

/** Tokens of an encoded pair at the most: the older models' own limit. */
export const MAX_LENGTH = 512;
/** As many as a worker holds at once. */
const JOBS = 64;
const LARGE_EVERY = 8;
/** Keeps the largest model within the quick run's minutes. */
const QUICK_MAX_TOKENS = 160;

/** Each job of the same size. */
function even(documents: number): Workload {
  return { sizes: Array.from({ length: JOBS }, () => documents), maxTokens: MAX_LENGTH };
}

/**
 * One job in eight is a real candidate list, the others hold one document: 64 jobs in flight, and
 * most pairs in jobs of a size that reranking has, at a cost that allows five repetitions.
 */
function mixed(documents: number, maxTokens = MAX_LENGTH): Workload {
  const sizes = Array.from({ length: JOBS }, (_, i) => (i % LARGE_EVERY === 0 ? documents : 1));
  return { sizes, maxTokens };
}

export const CASES: readonly Case[] = [
  { model: "minilm-l6", precision: "fp32", tokenizer: "bert", full: even(20), quick: mixed(6) },
  { model: "minilm-l6", precision: "int8", tokenizer: "bert", full: even(32), quick: mixed(20) },
  { model: "bge-reranker-base", precision: "fp32", tokenizer: "xlmr", full: mixed(16) },
  { model: "bge-reranker-base", precision: "int8", tokenizer: "xlmr", full: mixed(32) },
  { model: "bge-reranker-v2-m3", precision: "fp32", tokenizer: "xlmr", full: mixed(8) },
  {
    model: "bge-reranker-v2-m3",
    precision: "int8",
    tokenizer: "xlmr",
    full: mixed(16),
    quick: mixed(2, QUICK_MAX_TOKENS),
  },
];
