import { z } from "zod";
import { rankingSchema } from "../../../src/core/contract.js";
import { named } from "../openapi/named.js";

export const ranking = named("Ranking", rankingSchema);

const head = {
  id: z.string(),
  object: z.literal("job"),
  url: z.string().describe("The path at which the job can be asked for."),
};

/** A job and, once it has ended, its ranking or its error. */
export const jobSchema = named(
  "Job",
  z.discriminatedUnion("status", [
    z.object({ ...head, status: z.literal("queued") }),
    z.object({ ...head, status: z.literal("done"), ranking }),
    z.object({
      ...head,
      status: z.literal("failed"),
      error: z.object({ code: z.string(), message: z.string() }),
    }),
  ]),
);
