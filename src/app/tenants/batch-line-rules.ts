import { z } from "zod";
import type { RefuseLine } from "../../core/ports/input-container.js";
import type { BatchEndpoint } from "./batch-facts.js";

const lineSchema = z.object({
  url: z.unknown().optional(),
  body: z.object({ model: z.unknown().optional() }).optional(),
});

/** Longest name that a message repeats. */
const SHOWN_CHARS = 200;

/**
 * OpenAI's rules of a batch: all lines ask the batch's endpoint, and one model.
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
    const model = body?.model;
    if (typeof model !== "string" || modelNames.includes(model)) return undefined;
    const message = `is ${shown(model)}, and the batch ranks with ${modelNames[0] ?? ""}: give each model a batch of its own`;
    return { field: "body.model", message };
  };
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "").slice(0, SHOWN_CHARS);
}
