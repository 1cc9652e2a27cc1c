import type { OptionGroup } from "./option-spec.js";

/** The judgements that rankings are measured against. */
export const EVALUATION = {
  title: "Evaluation",
  options: {
    evalRun: {
      flags: "--run <file>",
      type: "text",
      description: "rankings to evaluate: a TREC run or rankmill's JSONL, plain, gzip or zstd",
    },
    qrels: {
      flags: "--qrels <file>",
      type: "text",
      description: "judgements: BEIR's three columns with a header, or trec_eval's four",
    },
    before: {
      flags: "--before <file>",
      type: "text",
      description: "run to compare with, usually the first stage",
    },
    ignoreIdenticalIds: {
      flags: "--ignore-identical-ids",
      type: "flag",
      description: "skip a document that has the same id as its query",
    },
  },
} as const satisfies OptionGroup;
