import { z } from "zod";
import type { StoredFile } from "../../../src/redis/file-index.js";
import { named } from "../openapi/named.js";
import { count, pageOf, time } from "./common.js";

export const fileSchema = named(
  "File",
  z.object({
    id: z.string(),
    object: z.literal("file"),
    bytes: count,
    created_at: time,
    expires_at: time.optional().describe("Absent for a file that a batch gives."),
    filename: z.string(),
    purpose: z.enum(["batch", "batch_output"]),
    status: z.literal("processed"),
    status_details: z.null(),
  }),
);

export const filePage = named("FilePage", pageOf(fileSchema));

export const deletedFile = named(
  "DeletedFile",
  z.object({ id: z.string(), object: z.literal("file"), deleted: z.literal(true) }),
);

export type FileObject = z.infer<typeof fileSchema>;

export function fileObject(file: StoredFile): FileObject {
  return {
    id: file.id,
    object: "file",
    bytes: file.bytes,
    created_at: seconds(file.createdAtMs),
    expires_at: seconds(file.expiresAtMs),
    filename: file.filename,
    purpose: "batch",
    status: "processed",
    status_details: null,
  };
}

export function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
