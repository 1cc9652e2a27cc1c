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
