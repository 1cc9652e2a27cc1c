import type { Precision } from "../../../src/core/precision.js";

/** The pairs of one repetition. All its jobs are in flight at once. */
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
  /** Undefined if the case is no part of `--quick`. */
  readonly quick?: Workload;
}

/** Tokens of an encoded pair at the most: the older models' own limit. */
export const MAX_LENGTH = 512;
/** The number of jobs that a worker holds at once. */
const JOBS = 64;
const LIST_EVERY = 8;
/** Fewer lists, in the same 64 jobs: the quick run keeps to ten minutes. */
const QUICK_LIST_EVERY = 16;
/** Keeps the largest model within the quick run's minutes. */
const QUICK_MAX_TOKENS = 128;

/**
 * One job in `every` is a candidate list as reranking has it, the others hold one document: 64 jobs
 * in flight, most pairs in lists, at a cost that allows five repetitions.
 */
function lists(documents: number, every = LIST_EVERY, maxTokens = MAX_LENGTH): Workload {
  const sizes = Array.from({ length: JOBS }, (_, i) => (i % every === 0 ? documents : 1));
  return { sizes, maxTokens };
}

export const CASES: readonly Case[] = [
  {
    model: "minilm-l6",
    precision: "fp32",
    tokenizer: "bert",
    full: lists(50),
    quick: lists(4, QUICK_LIST_EVERY),
  },
  {
    model: "minilm-l6",
    precision: "int8",
    tokenizer: "bert",
    full: lists(100),
    quick: lists(50, QUICK_LIST_EVERY),
  },
  { model: "bge-reranker-base", precision: "fp32", tokenizer: "xlmr", full: lists(8) },
  { model: "bge-reranker-base", precision: "int8", tokenizer: "xlmr", full: lists(16) },
  {
    model: "bge-reranker-v2-m3",
    precision: "fp32",
    tokenizer: "xlmr",
    full: lists(4, LIST_EVERY, QUICK_MAX_TOKENS),
  },
  {
    model: "bge-reranker-v2-m3",
    precision: "int8",
    tokenizer: "xlmr",
    full: lists(8, LIST_EVERY, 256),
    quick: lists(4, QUICK_LIST_EVERY, QUICK_MAX_TOKENS),
  },
  ...(["ettin-reranker-17m", "ettin-reranker-150m"] as const).flatMap((model) =>
    (["fp32", "int8"] as const).map((precision) => ({
      model,
      precision,
      // Not their own, which nobody measures: pairs are as long as those of the models beside them.
      tokenizer: "bert" as const,
      full: lists(8, LIST_EVERY, QUICK_MAX_TOKENS),
    })),
  ),
];
