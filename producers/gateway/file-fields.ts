/** Files and batches as OpenAI's API spells them. */
import { z } from "zod";
import { BATCH_ENDPOINTS, batchFileId } from "../../src/app/tenants/batch-facts.js";
import type { OwnedBatch } from "../../src/app/tenants/owned-batches.js";
import type { StoredFile } from "../../src/redis/file-index.js";
import type { RunState } from "../../src/runs/run-status.js";

const MAX_METADATA = 16;
const MAX_PAGE = 10_000;

export const filePageSchema = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
  purpose: z.string().optional(),
});

export const batchPageSchema = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export const newBatchSchema = z.object({
  input_file_id: z.string(),
  endpoint: z.enum(BATCH_ENDPOINTS),
  completion_window: z.string().max(64).default("24h"),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA, {
      error: `may have ${MAX_METADATA} fields`,
    })
    .nullish(),
});

export function fileObject(file: StoredFile): Record<string, unknown> {
  return {
    id: file.id,
    object: "file",
    bytes: file.bytes,
    created_at: seconds(file.createdAtMs),
    expires_at: seconds(file.expiresAtMs),
    filename: file.filename,
    purpose: file.purpose,
    status: "processed",
    status_details: null,
  };
}

const STATUS: Readonly<Record<RunState, string>> = {
  submitting: "validating",
  submitted: "in_progress",
  complete: "completed",
  cancelled: "cancelled",
  failed: "failed",
};

export function batchObject(batch: OwnedBatch): Record<string, unknown> {
  const { id, facts, info, status } = batch;
  const { state, over, total, counts } = status;
  const createdAt = seconds(Date.parse(info.createdAt));
  const endedAt = facts.endedAtMs === undefined ? null : seconds(facts.endedAtMs);
  return {
    id,
    object: "batch",
    endpoint: facts.endpoint,
    model: info.model,
    errors: state === "failed" ? GAVE_UP : null,
    input_file_id: facts.inputFileId,
    completion_window: facts.completionWindow,
    status: over && state === "submitted" ? "completed" : STATUS[state],
    output_file_id: over && counts.done > 0 ? batchFileId(id, "output") : null,
    error_file_id: over && counts.failed > 0 ? batchFileId(id, "errors") : null,
    created_at: createdAt,
    in_progress_at: createdAt,
    expires_at: null,
    finalizing_at: endedAt,
    completed_at: state === "complete" ? endedAt : null,
    failed_at: state === "failed" ? endedAt : null,
    expired_at: null,
    cancelling_at: state === "cancelled" ? endedAt : null,
    cancelled_at: state === "cancelled" ? endedAt : null,
    request_counts: { total, completed: counts.done, failed: counts.failed },
    metadata: facts.metadata,
  };
}

const GAVE_UP = {
  object: "list",
  data: [
    {
      code: "runner_gave_up",
      message: "the runner gave the batch up: its operator sees why",
      param: null,
      line: null,
    },
  ],
};

export function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
