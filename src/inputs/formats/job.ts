import type { InputFormat } from "../../core/ports/input-format.js";
import { asksOtherwise } from "./field-names.js";
import { has } from "./line-fields.js";

/** `{"id", "query", "documents", "top_n"?, "metadata"?}`: the contract's own shape. */
export const job = {
  name: "job",
  fields: '"documents"',
  detect: (line) => has(line, "documents") && !asksOtherwise(line),
  toRequest: (line) => ({ status: "converted", request: line, ignored: [] }),
} as const satisfies InputFormat;
