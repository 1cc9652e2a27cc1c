/** Jobs as bodies and URLs spell them. */
import { z } from "zod";
import { DEFAULT_LIMITS, requestSchema } from "../../src/core/contract.js";
import { PRIORITIES } from "../../src/core/priority.js";
import { DEFAULT_RESULT_TTL_SECONDS } from "../../src/redis/make-job.js";
import { MAX_WAIT_SECONDS } from "./deadline.js";
import { scoringFields } from "./scoring-fields.js";

const contractFields = requestSchema(DEFAULT_LIMITS).shape;

/** The fields of a request are checked by the contract, whose errors name limits. */
export const requestFields = Object.fromEntries(
  Object.keys(contractFields).map((name) => [name, z.unknown().optional()]),
);

const settings = {
  ...scoringFields(z.int()),
  model: z.string().optional().describe("The model; if it is left out, the default one."),
  priority: z.enum(PRIORITIES).optional().describe("`interactive` goes before all `bulk`."),
  ttl_seconds: z
    .int()
    .min(1)
    .default(DEFAULT_RESULT_TTL_SECONDS)
    .describe("The time for which the ranking is kept."),
};

export const jobSchema = z.strictObject({ ...requestFields, ...settings });

/** The same with the contract's own fields, for whoever reads the API's description. */
export const describedJobSchema = z.strictObject({ ...contractFields, ...settings });

export const findJobSchema = z.strictObject({
  wait: z.coerce
    .number()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(0)
    .describe("Seconds to wait for the end of the job."),
});
