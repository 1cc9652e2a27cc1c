import type { z } from "zod";
import type { Answer } from "./operation.js";

/** An answer of JSON with one example. */
export function jsonAnswer(
  status: number,
  description: string,
  schema: z.ZodType,
  example: unknown,
): Answer {
  return {
    status,
    description,
    body: {
      type: "application/json",
      schemas: [schema],
      examples: [{ summary: description, value: example }],
    },
  };
}
