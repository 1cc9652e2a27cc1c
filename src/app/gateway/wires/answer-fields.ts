/** Fields that the answers of several wires have. */
import { z } from "zod";

/** The place of a document in the request. */
export const place = z.int().min(0).describe("The document's place in the request, from 0.");

export const activatedScore = z
  .number()
  .describe("The score after the model's activation; the raw one if that was asked for.");

const tokens = z.int().min(0);

export const usage = z
  .object({ prompt_tokens: tokens, completion_tokens: z.literal(0), total_tokens: tokens })
  .describe("The tokens that the model read.");

export const answerId = z.string().describe("The request's id, also in `X-Request-Id`.");

export const createdSeconds = z.int().describe("Seconds since 1970.");
