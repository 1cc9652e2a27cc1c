import type { InputFormat } from "../../core/ports/input-format.js";
import { asksOtherwise } from "./field-names.js";
import { given, has, othersThan, unusable } from "./line-fields.js";

const FIELDS = ["id", "custom_id", "query", "document", "metadata"];

/** `{"id", "query", "document"}`: a request of one document, a text or `{"id"?, "text"}`. */
export const pair = {
  name: "pair",
  fields: '"document"',
  detect: (line) => has(line, "document") && !asksOtherwise(line),
  toRequest: (line) => {
    const { query, document, metadata } = line;
    if (document === undefined) return unusable("document", "is missing");
    const id = line["id"] ?? line["custom_id"];
    return {
      status: "converted",
      request: { ...given("id", id), query, documents: [document], ...given("metadata", metadata) },
      ignored: othersThan(line, FIELDS),
    };
  },
} as const satisfies InputFormat;
