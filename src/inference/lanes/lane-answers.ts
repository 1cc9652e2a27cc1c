import { z } from "zod";
import { isErrorCode, type ErrorCode } from "../../core/errors.js";

const shapeSchema = z.object({ rows: z.number(), length: z.number() });

/** The answers of a lane. One check per answer, which stands for many rows: its cost is not seen. */
const fromLaneSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    openMs: z.number(),
    residentBytes: z.number(),
    /** The least shape that the device's memory did not hold; absent if the warm-up went through. */
    tooLarge: shapeSchema.optional(),
  }),
  z.object({
    type: z.literal("unusable"),
    code: z.custom<ErrorCode>((code) => typeof code === "string" && isErrorCode(code)),
    message: z.string(),
  }),
  z.object({
    type: z.literal("done"),
    seq: z.number(),
    /** One logit per row, same shape as the message's batches. */
    logits: z.array(z.instanceof<typeof Float32Array<ArrayBufferLike>>(Float32Array)),
    scoreMs: z.number(),
    /** The lane's own memory; mapped files are left out. */
    residentBytes: z.number(),
    /** Bytes of it that hold prefixes. */
    prefixBytes: z.number().optional(),
  }),
  z.object({ type: z.literal("failed"), seq: z.number(), message: z.string() }),
]);

export type FromLane = z.infer<typeof fromLaneSchema>;

/** @returns undefined for anything that no lane of this version says */
export function parseFromLane(message: unknown): FromLane | undefined {
  return fromLaneSchema.safeParse(message).data;
}
