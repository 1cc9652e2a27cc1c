import { z } from "zod";
import type { RefuseLine } from "../../core/ports/input-container.js";
import type { BatchEndpoint } from "./batch-facts.js";

const lineSchema = z.object({
  url: z.unknown().optional(),
  body: z.looseObject({ model: z.unknown().optional() }).optional(),
});

/** Fields that would change scores, and that a batch, whose lines are scored alike, does not read. */
const UNREAD_FIELDS = [
  "instruction",
  "instruct",
  "max_tokens_per_doc",
  "max_doc_length",
  "max_chunks_per_doc",
  "truncate_prompt_tokens",
  "raw_scores",
] as const;
/** Values of these fields that ask for nothing; -1 is vLLM's word for the model's own length. */
const ASKS_FOR_NOTHING: ReadonlySet<unknown> = new Set([
  undefined,
  null,
  "",
  0,
  -1,
  false,
  "false",
]);

/** Longest name that a message repeats. */
const SHOWN_CHARS = 200;

/**
 * OpenAI's rules of a batch: all lines ask the batch's endpoint, and one model. Its lines are scored alike.
 *
 * @param modelNames names of that model; the first stands in messages
 */
export function batchLineRules(endpoint: BatchEndpoint, modelNames: readonly string[]): RefuseLine {
  return (line) => {
    const parsed = lineSchema.safeParse(line);
    // What is no line of a batch at all is told by its format.
    if (!parsed.success) return undefined;
    const { url, body } = parsed.data;
    if (url !== undefined && url !== endpoint) {
      const message = `is ${shown(url)}, and the batch is for ${endpoint}`;
      return { field: "url", message };
    }
    const unread = UNREAD_FIELDS.find((field) => !ASKS_FOR_NOTHING.has(body?.[field]));
    if (unread !== undefined) {
      const message = "is not read in a batch, whose lines are all scored in the model's own way";
      return { field: `body.${unread}`, message: `${message}: leave it out, or submit a run` };
    }
    const model = body?.model;
    if (typeof model !== "string" || modelNames.includes(model)) return undefined;
    const message = `is ${shown(model)}, and the batch ranks with ${modelNames[0] ?? ""}: give each model a batch of its own`;
    return { field: "body.model", message };
  };
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "").slice(0, SHOWN_CHARS);
}
