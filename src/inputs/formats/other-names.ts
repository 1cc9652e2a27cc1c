import type { InputFormat, ParsedLine } from "../../core/ports/input-format.js";
import { DOCUMENT_NAMES, QUERY_NAMES } from "./field-names.js";
import { given, has, othersThan, unusable } from "./line-fields.js";

const FIELDS = ["id", "custom_id", "top_n", "top_k", "metadata"];

/**
 * A request, or a pair, under other names: `question` for the query; `docs`, `passages`, `candidates`,
 * `contexts`, `texts` or `chunks`, or one of them in the singular, for the documents. A single one is
 * a list of one.
 */
export const otherNames = {
  name: "other-names",
  fields: '"question", or "docs", "passages", "candidates", "contexts", "texts", "chunks"',
  detect: (line) =>
    nameIn(line, QUERY_NAMES) !== undefined && nameIn(line, DOCUMENT_NAMES) !== undefined,
  toRequest: (line) => {
    const query = nameIn(line, QUERY_NAMES);
    const documents = nameIn(line, DOCUMENT_NAMES);
    if (query === undefined)
      return unusable("query", "is missing (also read as question, search_query or q)");
    if (documents === undefined) return unusable("documents", "is missing");
    const value = line[documents];
    const id = line["id"] ?? line["custom_id"];
    return {
      status: "converted",
      request: {
        ...given("id", id),
        query: line[query],
        documents: Array.isArray(value) ? value : [value],
        ...given("top_n", line["top_n"] ?? line["top_k"]),
        ...given("metadata", line["metadata"]),
      },
      ignored: othersThan(line, [...FIELDS, query, documents]),
    };
  },
} as const satisfies InputFormat;

function nameIn(line: ParsedLine, names: readonly string[]): string | undefined {
  return names.find((name) => has(line, name));
}
