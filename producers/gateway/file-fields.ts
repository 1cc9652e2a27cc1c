/** Files and batches as OpenAI's API spells them. */
import { z } from "zod";
import { BATCH_ENDPOINTS } from "../../src/app/tenants/batch-facts.js";

const MAX_METADATA = 16;
const MAX_PAGE = 10_000;

/** The purpose of files that may be uploaded. */
export const UPLOAD_PURPOSE = "batch";

/** A form; its fields are read as they come, and no schema holds them all at once. */
export const newFileSchema = z.object({
  file: z.string().meta({ contentMediaType: "application/octet-stream" }),
  purpose: z.literal(UPLOAD_PURPOSE),
});

export const filePageSchema = z.object({
  after: z.string().optional().describe("The file after which the page begins."),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(MAX_PAGE)
    .describe("Files of the page."),
  purpose: z.string().optional().describe("Files with this purpose alone."),
});

export const batchPageSchema = z.object({
  after: z.string().optional().describe("The batch after which the page begins."),
  limit: z.coerce.number().int().min(1).max(100).default(20).describe("Batches of the page."),
});

export const newBatchSchema = z.object({
  input_file_id: z.string().describe("The id of an uploaded file."),
  endpoint: z.enum(BATCH_ENDPOINTS),
  completion_window: z
    .string()
    .max(64)
    .default("24h")
    .describe("Given back, and means nothing: a batch waits for as long as it takes."),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA, {
      error: `may have ${MAX_METADATA} fields`,
    })
    .nullish(),
});
