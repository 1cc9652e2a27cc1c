import { DEFAULT_LIMITS } from "../../../src/core/contract.js";
import type { OptionGroup } from "./option-spec.js";

/** The largest record that is accepted. Its values are the contract's `Limits`. */
export const LIMITS = {
  title: "Limits",
  options: {
    maxDocuments: {
      flags: "--max-documents <n>",
      env: "RANKMILL_MAX_DOCUMENTS",
      type: "integer",
      min: 1,
      default: DEFAULT_LIMITS.maxDocuments,
      unit: "documents",
      description: "most documents per record",
    },
    maxQueryChars: {
      flags: "--max-query-chars <n>",
      env: "RANKMILL_MAX_QUERY_CHARS",
      type: "integer",
      min: 1,
      default: DEFAULT_LIMITS.maxQueryChars,
      unit: "characters",
      description: "longest query",
    },
    maxDocumentChars: {
      flags: "--max-document-chars <n>",
      env: "RANKMILL_MAX_DOCUMENT_CHARS",
      type: "integer",
      min: 1,
      default: DEFAULT_LIMITS.maxDocumentChars,
      unit: "characters",
      description: "longest document",
    },
    maxJobBytes: {
      flags: "--max-job-bytes <n>",
      env: "RANKMILL_MAX_JOB_BYTES",
      type: "integer",
      min: 1,
      default: DEFAULT_LIMITS.maxJobBytes,
      unit: "bytes",
      description: "largest record, as JSON",
    },
  },
} as const satisfies OptionGroup;
