import type { RunSettings } from "../../src/outputs/manifest.js";

/** Settings of a run as tests of outputs need them. */
export const SETTINGS: RunSettings = {
  model: { name: "m", revision: "r", digest: "d", precision: "fp32" },
  maxLength: 512,
  truncation: "only-second",
  longDocuments: "truncate",
  overlapTokens: 64,
  maxWindows: 64,
  maxTokensPerDoc: 0,
  score: "activated",
  topN: null,
  tokenizer: "tokenizers",
  outputFormat: "jsonl",
  depth: null,
  docFields: null,
};
