/** Fields that several answers have. */
import { z } from "zod";

export const count = z.int().min(0);

/** Seconds since 1970. */
export const time = z.int().describe("Seconds since 1970.");

/** A page of a list, in the form of OpenAI's. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({
    object: z.literal("list"),
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable().optional(),
    last_id: z.string().nullable().describe("Give it as `after` for the next page."),
  });
}
