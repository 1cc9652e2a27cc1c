import type { ParsedLine } from "../../core/ports/input-format.js";
import { has } from "./line-fields.js";

/** The names that people give the two fields of a record, rankmill's own first. */
export const QUERY_NAMES = ["query", "question", "search_query", "q"] as const;
export const DOCUMENT_NAMES = [
  "documents",
  "document",
  "docs",
  "doc",
  "passages",
  "passage",
  "candidates",
  "candidate",
  "contexts",
  "context",
  "texts",
  "text",
  "chunks",
  "chunk",
] as const;

/** Whether a line has a query, and under another name than rankmill's own. */
export function asksOtherwise(line: ParsedLine): boolean {
  return !has(line, "query") && QUERY_NAMES.some((name) => has(line, name));
}
