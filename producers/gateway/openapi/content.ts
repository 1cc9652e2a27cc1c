import type { Body } from "./operation.js";
import { anyOf, type Json } from "./schemas.js";

/** A body or an answer by its schema and its examples. */
export function contentOf({ schemas, examples }: Body): Json {
  return {
    schema: anyOf(schemas),
    examples: Object.fromEntries(
      examples.map(({ summary, value }, place) => [`example${place + 1}`, { summary, value }]),
    ),
  };
}
